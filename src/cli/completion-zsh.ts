/** For an autoloaded file of `$fpath` as well as for `source`. */
export const ZSH_COMPLETION = `#compdef agentctl
# zsh completion for agentctl; made by: agentctl completion zsh

_agentctl() {
  local -a reply offered
  local directive line value
  local -i before
  reply=("\${(@f)$(command agentctl __complete --current="\${(Q)PREFIX}" -- zsh "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}")
  directive=$reply[1]
  case $directive in
    files | directories)
      [[ $PREFIX == --*=* ]] && compset -P '*='
      if [[ $directive == files ]]; then _files; else _files -/; fi
      ;;
    command\\ *)
      before=$(( \${directive#command } + 1 ))
      shift $before words
      (( CURRENT -= before ))
      if (( CURRENT == 1 )); then _command_names -e; else _normal; fi
      ;;
    words)
      for line in "\${(@)reply[2,-1]}"; do
        value=\${line%%$'\\t'*}
        offered+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
      done
      _describe -V 'agentctl' offered
      ;;
    *)
      return 1
      ;;
  esac
}

if [[ $funcstack[1] == _agentctl ]]; then
  _agentctl "$@"
else
  compdef _agentctl agentctl
fi
`;
