"""Asks for a token with a scope, by one client and the credentials that it finds by itself; prints what comes of it.

Arguments: the client, and the scope.
"""

import sys


def azure(credential, scope):
    return credential.get_token(scope).token


def default_azure_credential(scope):
    from azure.identity import DefaultAzureCredential

    return azure(DefaultAzureCredential(), scope)


def managed_identity_credential(scope):
    from azure.identity import ManagedIdentityCredential

    return azure(ManagedIdentityCredential(), scope)


def google(credentials):
    from google.auth.transport.requests import Request

    credentials.refresh(Request())
    return credentials.token


def google_auth(scope):
    from google.auth import default

    return google(default(scopes=[scope])[0])


def compute_engine(scope):
    from google.auth.compute_engine import Credentials

    return google(Credentials(scopes=[scope]))


client, scope = sys.argv[1:]
try:
    print("a token" if globals()[client](scope) else "nothing")
except Exception as error:
    print(f"! {type(error).__name__}: {' '.join(str(error).split())}")
