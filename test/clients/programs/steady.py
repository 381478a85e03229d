"""Reads an object until a file appears, in one process, with one client and the credentials that it finds by itself.

The first failure ends it. Arguments: the client, BUCKET/NAME, and the file.
"""

import os
import sys
import time


def boto3(bucket, name):
    import boto3

    s3 = boto3.client("s3")
    return lambda: s3.get_object(Bucket=bucket, Key=name)["Body"].read()


def google_cloud_storage(bucket, name, **credentials):
    from google.cloud import storage

    endpoint = {"api_endpoint": os.environ["AGENTCTL_SANDBOX_GCS_URL"]}
    client = storage.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"], client_options=endpoint, **credentials)
    return lambda: client.bucket(bucket).blob(name).download_as_bytes()


def compute_engine(bucket, name):
    """As on one of Google's machines: asks the metadata server and nothing else."""
    from google.auth.compute_engine import Credentials

    return google_cloud_storage(bucket, name, credentials=Credentials())


def azure(credential, container, name):
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient(os.environ["AGENTCTL_SANDBOX_BLOB_URL"], credential)
    return lambda: service.get_blob_client(container, name).download_blob().readall()


def default_azure_credential(container, name):
    from azure.identity import DefaultAzureCredential

    return azure(DefaultAzureCredential(), container, name)


def managed_identity_credential(container, name):
    from azure.identity import ManagedIdentityCredential

    return azure(ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"]), container, name)


client, target, stop = sys.argv[1:]
try:
    read = globals()[client](*target.split("/", 1))
    while not os.path.exists(stop):
        read()
        time.sleep(0.4)
    print("done")
except Exception as error:
    sys.exit(f"! {type(error).__name__}: {error}")
