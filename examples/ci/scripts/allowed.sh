#!/bin/sh
# allowed.sh LABELS prints the class of disruption that a change with these labels, separated by commas, may have.
set -eu

case ",${1-}," in
*,allow-replace,*) echo replace ;;
*,allow-reboot,*) echo reboot ;;
*) echo live ;;
esac
