# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
_ucmkd() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # Readline parts words at "=" too.
  [[ $current == "=" ]] && current=''
  [[ $previous == "=" ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  COMPREPLY=()
  case $previous in
  --config | --record | --replay | --socket)
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    ;;
  --proc | --cgroup)
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -d -- "$current")
    ;;
  --log-level)
    mapfile -t COMPREPLY < <(compgen -W 'error warning notice info debug' -- "$current")
    ;;
  *)
    mapfile -t COMPREPLY < <(compgen -W '--config --socket --proc --cgroup --user --record
      --log-level --check --replay --version --help' -- "$current")
    ;;
  esac
}
complete -F _ucmkd ucmkd
