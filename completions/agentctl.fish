# fish completion for agentctl; made by: agentctl completion fish

function __agentctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l reply (command agentctl __complete --current="$current" -- fish $words[2..-1] 2>/dev/null)
    set -l directive (string split ' ' -- $reply[1])
    switch "$directive[1]"
        case words
            printf '%s\n' $reply[2..-1]
        case files
            __agentctl_files $current
        case directories
            __agentctl_files $current | string match '*/'
        case command
            set -l first (math $directive[2] + 2)
            set -l before
            if test $first -le (count $words)
                set before (string escape -- $words[$first..-1])
            end
            complete -C (string join ' ' -- $before $current)
    end
end

# A path may be the value in --option=path.
function __agentctl_files
    set -l option (string match -r -- '^--[a-z-]+=' $argv[1])
    complete -C "'' "(string replace -- "$option" '' $argv[1]) | string replace -r '^' -- "$option"
end

complete -c agentctl -f -k -a '(__agentctl_complete)'
