#!/usr/bin/env bash
# Installs the programs of the system that some tests drive: shells, a browser, a keychain, readers of manual pages.
# Where it cannot (not Debian, not root), it says what is missing, and those tests say why they are skipped.
set -uo pipefail

declare -A packages=(
  [zsh]=zsh
  [fish]=fish
  [/usr/share/bash-completion/bash_completion]=bash-completion
  [mandoc]=mandoc
  [shellcheck]=shellcheck
  [chromium]=chromium
  [gnome-keyring-daemon]=gnome-keyring
  [dbus-run-session]=dbus
  # The library by which a keychain is reached.
  ["/usr/lib/$(uname -m)-linux-gnu/libsecret-1.so.0"]=libsecret-1-0
)

missing=()
for tool in "${!packages[@]}"; do
  [[ -e $tool ]] || command -v "$tool" >/dev/null || missing+=("${packages[$tool]}")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
  echo "not installed: ${missing[*]}"
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing ${missing[*]}"
apt-get update -qq && apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null ||
  echo "could not install all of: ${missing[*]}"
