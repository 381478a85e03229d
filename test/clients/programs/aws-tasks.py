"""boto3 with nothing of agentctl: does what its arguments say and prints a line for each."""

import os
import sys
import time

import boto3

s3 = boto3.client("s3")
sts = boto3.client("sts")


def whoami(_bucket, _key, _text):
    return sts.get_caller_identity()["Arn"]


def put(bucket, key, text):
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return "ok"


def get(bucket, key, _text):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def keys(bucket, _key, _text):
    return " ".join(item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"])


def repeat(bucket, key, _text):
    """Reads until it fails."""
    while True:
        get(bucket, key, "")
        time.sleep(0.2)


def wait(*path):
    while not os.path.exists("/".join(path[:2])):
        time.sleep(0.05)
    return "ok"


for task in sys.argv[1:]:
    verb, _, rest = task.partition(":")
    target, _, text = rest.partition("=")
    bucket, _, key = target.partition("/")
    try:
        result = globals()[verb](bucket, key, text)
    except Exception as error:
        result = f"! {type(error).__name__}: {error}"
    print(f"{verb}: {' '.join(result.split())}", flush=True)
