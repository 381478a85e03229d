# gcloud with nothing of agentctl: does what the arguments say and prints a line for each.
do_task() {
  case $1 in
    put) printf %s "$3" | gcloud storage cp --quiet --no-user-output-enabled --verbosity=error - "gs://$2" && echo ok ;;
    get) gcloud storage cat "gs://$2" ;;
    names) gcloud storage ls "gs://$2**" | sed 's|^gs://[^/]*/||' ;;
  esac
}

for task in "$@"; do
  verb=${task%%:*}
  rest=${task#*:}
  result=$(do_task "$verb" "${rest%%=*}" "${rest#*=}" 2>&1) || result="! $result"
  # Unquoted, so that an answer of several lines becomes one.
  set -f
  echo "$verb:" $result
  set +f
done
