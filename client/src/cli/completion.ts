import { COMMANDS, GLOBAL_OPTIONS, OVERRIDE_ACTIONS, type CommandSpec, type OptionSpec } from './command-table';

/** A script for bash or zsh that completes commands, options and the names of live leases. */
export function completionScript(shell: 'bash' | 'zsh'): string {
  return shell === 'bash' ? bashScript() : zshScript();
}

function optionsOf(command: CommandSpec): readonly OptionSpec[] {
  return [...command.options, ...GLOBAL_OPTIONS];
}

/** For options whose value is the word after them. */
function withValue(specs: readonly OptionSpec[]): string {
  return [...new Set(specs.filter(({ type }) => type !== 'flag').map(({ name }) => `--${name}`))].join('|');
}

function bashScript(): string {
  const options = COMMANDS.map((command) => `    ${command.name}) words="${optionsOf(command).map(({ name }) => `--${name}`).join(' ')}" ;;`);
  const choices = COMMANDS.flatMap(({ options: specs }) => specs).filter(({ choices: some }) => some !== undefined);
  return `# bash completion of update-lock: source <(update-lock completion bash)
_update_lock() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command='' operand=0 url='' words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --url) i=$((i + 1)); url="\${COMP_WORDS[i]}"
        # bash takes = and : for the ends of words.
        while [[ "\${COMP_WORDS[i+1]}" == [:=]* || "\${COMP_WORDS[i]}" == [:=] ]] && ((i + 1 < COMP_CWORD)); do i=$((i + 1)); url+="\${COMP_WORDS[i]}"; done
        url="\${url#=}" ;;
      --) [[ "$command" == run ]] && { operand=$((i + 1)); break; } ;;
      ${withValue(COMMANDS.flatMap(optionsOf).filter(({ name }) => name !== 'url'))}) i=$((i + 1)) ;;
      -*) ;;
      *) if [[ -z "$command" ]]; then command="\${COMP_WORDS[i]}"; elif ((operand == 0)); then operand=$i; [[ "$command" == run ]] && break; fi ;;
    esac
  done
  if [[ "$command" == run ]] && ((operand > 0)); then
    if declare -F _command_offset > /dev/null; then _command_offset "$operand"
    elif ((operand == COMP_CWORD)); then mapfile -t COMPREPLY < <(compgen -c -- "$current")
    else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi
    return
  fi
  case "$previous" in
${choices.map(({ name, choices: some }) => `    --${name}) mapfile -t COMPREPLY < <(compgen -W "${some?.join(' ') ?? ''}" -- "$current"); return ;;`).join('\n')}
    ${withValue(COMMANDS.flatMap(optionsOf).filter(({ choices: some }) => some === undefined))}) return ;;
  esac
  case "$command" in
    '') words="${COMMANDS.map(({ name }) => name).join(' ')} help --url --token-file --help --version" ;;
${options.join('\n')}
  esac
  if [[ -n "$command" && "$current" != -* ]]; then
    case "$command" in
      renew|release) ((operand == 0)) && words="$("\${COMP_WORDS[0]}" completion leases \${url:+--url "$url"} 2> /dev/null)" || words='' ;;
      completion) words='bash zsh' ;;
      override) ((operand == 0)) && words='${OVERRIDE_ACTIONS.join(' ')}' || words='' ;;
      help) words="${COMMANDS.map(({ name }) => name).join(' ')}" ;;
      run) mapfile -t COMPREPLY < <(compgen -c -- "$current"); return ;;
      *) words='' ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _update_lock update-lock
`;
}

function zshScript(): string {
  const described = COMMANDS.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`).join('\n');
  return `#compdef update-lock
# zsh completion of update-lock: in a folder of $fpath as _update-lock, or source <(update-lock completion zsh)
_update_lock_leases() {
  local -a names
  names=(\${(f)"$(\${words_of_update_lock[1]:-update-lock} completion leases \${opt_args[--url]:+--url} \${opt_args[--url]} 2> /dev/null)"})
  compadd -a names
}
_update_lock() {
  local curcontext="$curcontext" state line
  local -a words_of_update_lock commands
  typeset -A opt_args
  words_of_update_lock=("$words[@]")
  commands=(
${described}
  )
  _arguments -C '--url=[the sidecar]:URL' '--token-file=[a file with the token]:FILE:_files' '(- *)'{-h,--help}'[help]' '(- *)--version[version]' '1:command:->command' '*::argument:->argument' && return
  case "$state" in
    command) _describe command commands ;;
    argument)
      case "$line[1]" in
${COMMANDS.map((command) => `        ${command.name}) _arguments ${zshArguments(command)} ;;`).join('\n')}
        help) _describe command commands ;;
      esac ;;
  esac
}
if [[ "$funcstack[1]" == _update-lock ]]; then _update_lock "$@"; else compdef _update_lock update-lock; fi
`;
}

function zshArguments(command: CommandSpec): string {
  const options = optionsOf(command).map(({ name, value, choices, help, excludes }) => {
    const exclusion = excludes === undefined ? '' : `(--${excludes})`;
    const argument = value === undefined ? '' : `:${value.replace('|', ' or ')}:${choices === undefined ? '' : `(${choices.join(' ')})`}`;
    return `'${exclusion}--${name}${value === undefined ? '' : '='}[${quoted(help)}]${argument}'`;
  });
  if (command.name === 'run') return [...options, `'*::command:_normal'`].join(' ');
  if (command.operand === 'SHELL') return [...options, `'1:shell:(bash zsh)'`].join(' ');
  if (command.operand === 'ACTION') return [...options, `'1:action:(${OVERRIDE_ACTIONS.join(' ')})'`].join(' ');
  if (command.operand === 'NAME') return [...options, command.name === 'acquire' ? `'1:name:'` : `'1:lease:_update_lock_leases'`].join(' ');
  return options.join(' ');
}

/** Quotes text for single quotes, in which _arguments and _describe also treat colons and brackets specially. */
function quoted(text: string): string {
  return text.replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', '\\:').replaceAll("'", "'\\''");
}
