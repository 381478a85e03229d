# The AWS CLI with nothing of agentctl: does what the arguments say and prints a line for each.
do_task() {
  case $1 in
    whoami) aws sts get-caller-identity --query Arn --output text ;;
    put) printf %s "$3" | aws s3 cp --only-show-errors - "s3://$2" && echo ok ;;
    get) aws s3 cp --only-show-errors "s3://$2" - ;;
    keys) aws s3 ls --recursive "s3://${2%%/*}" | awk '{ print $4 }' ;;
    # Reads until it fails.
    repeat) while aws s3api get-object --bucket "${2%%/*}" --key "${2#*/}" /dev/null >/dev/null; do sleep 0.2; done; false ;;
    wait) while [ ! -e "$2" ]; do sleep 0.05; done; echo ok ;;
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
