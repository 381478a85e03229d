# Asks az for a token until it has had COUNT different ones; prints what each is known by, never the token.
count=$1
seen=""
had=0
while [ "$had" -lt "$count" ]; do
  token=$(az account get-access-token --query accessToken --output tsv) || exit 1
  mark=$(printf %s "$token" | cksum)
  case "$seen" in
    *"[$mark]"*) ;;
    *)
      seen="$seen[$mark]"
      had=$((had + 1))
      printf 'token %s\n' "$had"
      ;;
  esac
done
