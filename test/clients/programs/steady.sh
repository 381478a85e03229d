# Reads an object until a file appears, with a command line client. The first failure ends it.
# Arguments: the client, BUCKET/NAME, and the file.
target=$2
stop=$3

read_object() {
  case $1 in
    aws) aws s3 cp --only-show-errors "s3://$target" - ;;
    gcloud) gcloud storage cat "gs://$target" ;;
    # As on one of Google's machines: asks the metadata server and nothing else.
    gcloud-metadata) env -u CLOUDSDK_AUTH_ACCESS_TOKEN_FILE -u GOOGLE_APPLICATION_CREDENTIALS gcloud storage cat "gs://$target" ;;
  esac
}

if [ "$1" = aws-wait ]; then
  # One process, that looks every 5 seconds until there is an object which nobody else has written.
  aws s3api wait object-exists --bucket "${target%%/*}" --key "${target#*/}.new" &
  while [ ! -e "$stop" ]; do sleep 0.2; done
  echo new | aws s3 cp --only-show-errors - "s3://$target.new" || exit 1
  wait $! || exit 1
else
  while [ ! -e "$stop" ]; do
    read_object "$1" >/dev/null || exit 1
    # Most of what each of them costs is its start.
    sleep 1
  done
fi
echo done
