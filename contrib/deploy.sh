# SPDX-License-Identifier: GPL-3.0-or-later
# What deploy runs on a host: any POSIX sh, whatever the login shell may be,
# for the only word of the command line is "sh". Each line it says begins with
# "yardmaster "; what else comes out is noise. It is told what to do on its
# standard input, and only after it asked, so that the shell has read ahead
# nothing but this.
say() { printf 'yardmaster %s\n' "$*"; }
fail() { say error "$*"; exit 1; }
version() { "$1" --version 2>&1 | sed -n '1s/^yardmaster-agent //p'; }
sum() { sha256sum <"$1" | cut -c1-64; }
user_manager() { systemctl --user show-environment >/dev/null 2>&1; }

# The instances of this account; those that do not run are none to restart.
instances() {
	for dir in "$state"/agent/*/; do
		name=${dir%/}
		name=${name##*/}
		case $name in *[!A-Za-z0-9._-]*) continue ;; esac
		[ ! -d "$dir" ] || echo "$name"
	done
}

put() {
	command -v sha256sum >/dev/null || fail "there is no sha256sum there"
	mkdir -p .local/bin && : >"$new" || fail "cannot write $HOME/$new"
	trap 'rm -f "$new"; rmdir .local/bin .local 2>/dev/null' EXIT
	trap 'exit 1' HUP INT PIPE TERM
	say send
	head -c "$1" >"$new" || fail "cannot write $HOME/$new"
	[ "$(sum "$new")" = "$2" ] ||
		fail "what arrived is not what was sent (SHA-256)"
	chmod 755 "$new"
	[ -n "$(version "./$new")" ] ||
		fail "it does not run there: $("./$new" --version 2>&1 |
		    head -n 1)"
	rm -f "$old"
	[ ! -e "$bin" ] || ln "$bin" "$old" || cp -p "$bin" "$old" ||
		fail "cannot keep $HOME/$bin"
	mv -f "$new" "$bin" || fail "cannot write $HOME/$bin"
}

put_unit() {
	user_manager || return 0
	mkdir -p "$units" && unit >"$units/$service" &&
		systemctl --user daemon-reload
}

# Starts it anew where it runs, which ends no work, and the one that is wanted.
start() {
	for name in $(instances); do
		[ "$name" = "$1" ] ||
			! "$full" status --instance "$name" >/dev/null 2>&1 ||
			"$full" restart --instance "$name" >/dev/null 2>&1
	done
	why=$("$full" restart --instance "$1" 2>&1) &&
		why=$("$full" status --instance "$1" 2>&1) && return
	[ -e "$old" ] || fail "it does not start there: $why"
	mv -f "$old" "$bin"
	"$full" restart --instance "$1" >/dev/null 2>&1
	fail "it did not answer, the one before is back: $why"
}

remove() {
	[ -e "$bin" ] || fail "there is no $HOME/$bin"
	for name in $(instances); do
		why=$("$full" remove $1 --instance "$name" 2>&1) ||
			fail "$why"
	done
	rm -f "$bin" "$old"
	if [ -e "$units/$service" ]; then
		rm -f "$units/$service"
		systemctl --user daemon-reload >/dev/null 2>&1
	fi
	rmdir "$units" "${units%/*}" .config .local/bin .local/state .local \
		2>/dev/null
	say done
}

main() {
	umask 077
	PATH=$PATH:/usr/local/bin:/usr/bin:/bin
	export PATH
	cd "$HOME" || fail "HOME is not set"
	bin=.local/bin/yardmaster-agent
	full=$HOME/$bin new=$bin.new old=$bin.old
	state=${YARDMASTER_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/yardmaster}
	units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
	service=yardmaster-agent@.service
	say deploy 1
	say machine "$(uname -m)"
	[ ! -e "$bin" ] || say had "$(sum "$bin")" "$(version "$full")"
	other=$(command -v yardmaster-agent)
	[ -z "$other" ] || [ "$other" -ef "$full" ] || say other "$other"
	say ask
	read -r what size hash instance || exit 1
	case $what in
	put) put "$size" "$hash" && put_unit ;;
	keep) put_unit ;;
	remove) remove "$size"; exit ;;
	*) exit ;;
	esac
	start "$instance"
	rm -f "$old"
	say now "$(version "$full")"
	say done
}
