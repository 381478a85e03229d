"""Azure's library for Python with nothing of agentctl, given the token by hand; prints a line for each of its arguments."""

import os
import sys
import time

from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient


class GivenToken:
    def get_token(self, *_scopes, **_options):
        # Which variable has it: a test can hand over one that is for something else.
        variable = os.environ.get("TOKEN_VARIABLE", "AZURE_ACCESS_TOKEN")
        return AccessToken(os.environ[variable], int(time.time()) + 60)


service = BlobServiceClient(os.environ["AGENTCTL_SANDBOX_BLOB_URL"], GivenToken())


def put(container, name, text):
    service.get_blob_client(container, name).upload_blob(text, overwrite=True)
    return "ok"


def get(container, name, _text):
    return service.get_blob_client(container, name).download_blob().readall().decode()


def names(container, prefix, _text):
    return " ".join(service.get_container_client(container).list_blob_names(name_starts_with=prefix))


for task in sys.argv[1:]:
    verb, _, rest = task.partition(":")
    target, _, text = rest.partition("=")
    container, _, name = target.partition("/")
    try:
        result = globals()[verb](container, name, text)
    except Exception as error:
        result = f"! {getattr(error, 'error_code', type(error).__name__)}: {error}"
    print(f"{verb}: {' '.join(result.split())}", flush=True)
