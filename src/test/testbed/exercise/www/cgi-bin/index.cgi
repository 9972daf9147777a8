#!/bin/sh
# The student's page: what is in the workspace, and who serves it.
printf 'Content-Type: text/html\r\n\r\n'
printf '<!doctype html><title>Exercise</title><h1>Exercise</h1><p>served by %s</p><ul>\n' "$(hostname)"
for file in /work/*; do
  [ -f "$file" ] && printf '<li><a href="/cgi-bin/file?%s">%s</a></li>\n' "${file##*/}" "${file##*/}"
done
printf '</ul>\n'
