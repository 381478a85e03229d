# bash completion for agentctl; made by: agentctl completion bash

_agentctl() {
  local -a typed=() starts=()
  local rest=${COMP_LINE:0:COMP_POINT} word cut at=0
  # The words up to the cursor, put together again where readline cut them at = or : (COMP_WORDBREAKS).
  for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ ${#typed[@]} -eq 0 || $rest == [[:space:]]* ]]; then
      typed+=("")
      starts+=("$at")
    fi
    rest=${rest#"${rest%%[![:space:]]*}"}
    [[ $rest == "$word"* ]] || word=$rest
    typed[${#typed[@]}-1]+=$word
    rest=${rest#"$word"}
    at=$((at + 1))
  done
  local last=$((${#typed[@]} - 1))
  local current=${typed[last]}

  COMPREPLY=()
  local reply directive value description
  reply=$(command agentctl __complete --current="$current" -- bash "${typed[@]:1:last-1}" 2>/dev/null) || return 0
  directive=${reply%%$'\n'*}
  case $directive in
    files) __agentctl_files ;;
    directories) __agentctl_files -d ;;
    command\ *) __agentctl_wrapped "${starts[${directive#command } + 1]}" "$current" ;;
    words)
      # $(…) drops the last newline: where no line follows, there is no word to offer.
      [[ $reply == *$'\n'* ]] || return 0
      # Readline replaces only what follows the last = or : of a word without quotes.
      cut=
      [[ $current == [\"\']* ]] || cut=${current%"${current##*["$COMP_WORDBREAKS"]}"}
      current=${current#[\"\']}
      while IFS=$'\t' read -r value description; do
        [[ $value == "$current"* ]] && COMPREPLY+=("${value#"$cut"}")
      done <<<"${reply#*$'\n'}"
      ;;
  esac
}

# Readline's own completion of files knows the most of quoting.
__agentctl_files() {
  if type compopt >/dev/null 2>&1; then
    [[ ${1-} == -d ]] && compopt -o dirnames || compopt -o default
  fi
}

# The command that agentctl runs: $1 is its index in COMP_WORDS, $2 the word at the cursor.
__agentctl_wrapped() {
  local word
  if type _comp_command_offset >/dev/null 2>&1; then
    _comp_command_offset "$1"
  elif type _command_offset >/dev/null 2>&1; then
    _command_offset "$1"
  elif [[ $1 -lt $COMP_CWORD || $2 == */* || -z $2 ]]; then
    __agentctl_files
  else
    while IFS= read -r word; do
      type -P -- "$word" >/dev/null && COMPREPLY+=("$word")
    done < <(compgen -c -- "$2" | sort -u)
  fi
}

if type compopt >/dev/null 2>&1; then
  complete -F _agentctl agentctl
else
  complete -o default -F _agentctl agentctl
fi
