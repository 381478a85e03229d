"""Google's library for Python with nothing of agentctl, given the token by hand; prints a line for each of its arguments."""

import os
import sys

from google.cloud import storage
from google.oauth2.credentials import Credentials

client = storage.Client(
    project=os.environ["GOOGLE_CLOUD_PROJECT"],
    credentials=Credentials(os.environ["GOOGLE_OAUTH_ACCESS_TOKEN"]),
    client_options={"api_endpoint": os.environ["AGENTCTL_SANDBOX_GCS_URL"]},
)


def put(bucket, name, text):
    client.bucket(bucket).blob(name).upload_from_string(text)
    return "ok"


def get(bucket, name, _text):
    return client.bucket(bucket).blob(name).download_as_text()


def names(bucket, prefix, _text):
    return " ".join(blob.name for blob in client.list_blobs(bucket, prefix=prefix))


for task in sys.argv[1:]:
    verb, _, rest = task.partition(":")
    target, _, text = rest.partition("=")
    bucket, _, name = target.partition("/")
    try:
        result = globals()[verb](bucket, name, text)
    except Exception as error:
        result = f"! {type(error).__name__}: {error}"
    print(f"{verb}: {' '.join(result.split())}", flush=True)
