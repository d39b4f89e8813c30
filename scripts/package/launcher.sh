#!/bin/sh
here=$(readlink -f -- "$0")
here=${here%/bin/*}
node=$here/node/bin/node
[ -x "$node" ] || node=node
exec "$node" @flags@"$here/@script@" "$@"
