"""What Google's library finds for an application's default credentials, and whether a token comes of it."""

import google.auth
from google.auth.transport.requests import Request

credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
print(f"found {type(credentials).__module__} {project}")
if type(credentials).__module__.startswith("google.auth.compute_engine"):
    credentials.refresh(Request())
    print(credentials.token)
