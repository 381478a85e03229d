/**
 * The watchdog, for any POSIX shell: `sh -c SCRIPT NAME LEASE_ID ENTRY_FILE DIRECTORY SELF…`, with what tells of
 * agentctl's life on descriptor 3. Its last act aside it uses nothing but builtins, so that it stays one small process.
 *
 * - Signals are ignored from the start, and for the part in the background too: a runner that ends a job signals all
 *   that it finds, and the watchdog must not go before agentctl has.
 * - The first shell ends at once, so that the background part is nobody's child any more when agentctl sees that end.
 * - An end of file without `done` is agentctl's death. Without a ledger file there was nothing to end yet, or is not
 *   any more; a first write that was cut off is cleared away. Only otherwise the shell becomes another agentctl, where the first one was: relative paths in the
 *   environment start there.
 */
export const WATCHDOG_SCRIPT = `trap '' HUP INT QUIT TERM USR1 USR2
lease=$1 entry=$2 directory=$3
shift 3
{
  read -r word <&3 && [ "$word" = "done" ] && exit 0
  [ -e "$entry" ] || {
    for torn in "$entry".*.tmp; do [ ! -f "$torn" ] || rm -f -- "$torn"; done
    exit 0
  }
  cd "$directory" 2>/dev/null || cd /
  exec "$@" lease sweep --as-watchdog "$lease" 3<&-
} &
`;

/** The line on descriptor 3 that says that there is nothing to end. */
export const NOTHING_TO_END = "done\n";
