"""Google's library for Python with the credentials that it finds by itself; prints what it reads at a URL."""

import sys

import google.auth
from google.auth.transport.requests import AuthorizedSession

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]

try:
    credentials, _project = google.auth.default(scopes=SCOPES)
    answer = AuthorizedSession(credentials).get(sys.argv[1])
    print(answer.status_code, answer.text.strip())
except Exception as error:
    print(f"! {type(error).__name__}: {error}")
