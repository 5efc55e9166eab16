// cspell:ignore CWORD COMPREPLY compopt compgen esac compdef compinit
/** Shells that `relflow completion` writes a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Hidden command that prints what may follow the words of a command line. */
export const COMPLETE_WORDS = 'complete-words';

/**
 * Scripts that ask `relflow` itself what may follow, so that they never differ from the installed version. The last line of its answer
 * is `:files`, `:folders` or `:none`; the lines before are candidates, each with a tab and its description.
 */
export const completionScripts: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# relflow completion for bash: eval "$(relflow completion bash)"
_relflow() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}" kind line
  local -a lines
  [[ $word == '=' ]] && word=''
  lines=($(relflow ${COMPLETE_WORDS} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  COMPREPLY=()
  for line in "\${lines[@]}"; do
    case $line in
      :files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$word")) ;;
      :folders) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$word")) ;;
      :none) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done
}
complete -F _relflow relflow
`,
  zsh: `#compdef relflow
# relflow completion for zsh: eval "$(relflow completion zsh)" after compinit
_relflow() {
  local -a lines candidates
  local line
  lines=("\${(@f)$(relflow ${COMPLETE_WORDS} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case $line in
      :files) _files ;;
      :folders) _files -/ ;;
      :none|'') ;;
      *) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( \${#candidates} )) && _describe relflow candidates
}
compdef _relflow relflow
`,
  fish: `# relflow completion for fish: relflow completion fish | source
function __relflow_complete
  set -l current (commandline -ct | string collect --allow-empty)
  set -l before (commandline -opc)
  for line in (relflow ${COMPLETE_WORDS} -- $before[2..-1] "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :folders
        __fish_complete_directories "$current"
      case :none
      case '*'
        echo $line
    end
  end
end
complete -c relflow -f -a '(__relflow_complete)'
`,
};
