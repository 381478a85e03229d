"""What boto3 finds to sign with, and where: asks nobody to do anything."""

import boto3

credentials = boto3.Session().get_credentials()
print("none" if credentials is None else f"{credentials.method} {credentials.access_key}")
