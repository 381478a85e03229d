"""The token that Azure's library finds by its default chain."""

from azure.identity import DefaultAzureCredential

print(DefaultAzureCredential().get_token("https://management.azure.com/.default").token)
