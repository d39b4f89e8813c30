/** The scripts that `peerctl completion SHELL` prints. They ask the peerctl that is being completed. */

const bash = String.raw`# Completion of peerctl for bash 4.4 or newer: eval "$(peerctl completion bash)" in ~/.bashrc
_peerctl() {
  local -a answer
  mapfile -t answer < <(PEERCTL_WORDBREAKS="$COMP_WORDBREAKS" "$1" __complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  COMPREPLY=("\${answer[@]:1}")
  case \${answer[0]} in
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
  esac
  # An option with = or a list of peers goes on.
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=,] ]]; then compopt -o nospace; fi
}
complete -F _peerctl peerctl
`;

const zsh = String.raw`#compdef peerctl
# Completion of peerctl for zsh: as _peerctl in a directory of $fpath, or eval "$(peerctl completion zsh)" in ~/.zshrc
_peerctl() {
  local -a answer values shown
  local line
  answer=("\${(@f)$("\${(Q)words[1]}" __complete zsh "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  for line in "\${(@)answer[2,-1]}"; do
    [[ -n $line ]] || continue
    values+=("\${line%%$'\t'*}")
    shown+=("\${line%%$'\t'*}  \${line#*$'\t'}")
  done
  (( \${#values} )) && compadd -l -d shown -a values
  case \${answer[1]} in
    files) _files ;;
    directories) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _peerctl ]]; then _peerctl "$@"; else compdef _peerctl peerctl; fi
`;

const fish = String.raw`# Completion of peerctl for fish: peerctl completion fish > ~/.config/fish/completions/peerctl.fish
function __peerctl_complete
    set -l words (commandline -opc)
    set -l current (string unescape -- (commandline -ct))
    set -l answer ($words[1] __complete fish $words "$current" 2>/dev/null)
    for line in $answer[2..-1]
        printf '%s\n' $line
    end
    switch "$answer[1]"
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
    end
end
complete -c peerctl -f -a '(__peerctl_complete)'
`;

/** String.raw keeps the backslash that keeps \`\${\` from being a placeholder. */
const script = (text: string): string => text.replaceAll('\\${', '${');

export const completionScripts: Readonly<Record<'bash' | 'zsh' | 'fish', string>> = { bash: script(bash), zsh: script(zsh), fish: script(fish) };
