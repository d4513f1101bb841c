#!/bin/sh
# A documentation site from its import to a move of the store to PostgreSQL, by the commands that its operator types.
#
# usage: journey.sh FOLDER PORT POSTGRES-URL
#   FOLDER        an empty folder of the user; the site, the exports and the store get there
#   PORT          a free port for the web server
#   POSTGRES-URL  an empty database
# QUARTERDECK names the program and WEB_SERVER the web server. It ends with 0 and the last line "done" if all is as expected.
set -eu

cd "$1"
port=$2
postgres=$3
site=http://127.0.0.1:$port
md=.md # the ending of exported files
mkdir -p site home tmp
HOME=$PWD/home
TMPDIR=$PWD/tmp
QUARTERDECK_FETCH__ALLOW_PRIVATE_HOSTS="[\"127.0.0.1:$port\"]"
export HOME TMPDIR QUARTERDECK_FETCH__ALLOW_PRIVATE_HOSTS

fail() {
    echo "journey.sh: $*" >&2
    exit 1
}

quarterdeck() { # runs the program; the exit code must be 0
    "$QUARTERDECK" "$@" || fail "exit code $? of: quarterdeck $*"
}

expect() { # expect WORDS FILE: FILE has a line with these words
    grep -qF -e "$1" "$2" || fail "no line with '$1' in $2: $(cat "$2")"
}

page() { # page NAME SENTENCE: writes a page of the site
    cat >"site/$1.html" <<END
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>$1</title></head><body>
<nav><a href="/page1.html">First</a> <a href="/page2.html">Second</a> <a href="/page3.html">Third</a></nav>
<main><h1>The $1</h1><p>This is how $1 is set up and used, step by step, on one machine.</p>
<h2>Details</h2><p>$2</p><pre><code>run $1 --now</code></pre></main>
<footer><p>All rights reserved</p></footer></body></html>
END
}

sitemap() { # lists the pages that the site has
    {
        echo '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        for file in site/*.html; do
            echo "<url><loc>$site/${file#site/}</loc></url>"
        done
        echo '</urlset>'
    } >site/sitemap.xml
}

# The site.
for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
    page "page$number" "It keeps $number copies unless it is told otherwise."
done
sitemap
cat >nginx.conf <<END
pid $PWD/nginx.pid; worker_processes 1;
events { worker_connections 64; }
http {
    access_log off; types { text/html html; application/xml xml; }
    client_body_temp_path $PWD/tmp; proxy_temp_path $PWD/tmp; fastcgi_temp_path $PWD/tmp;
    uwsgi_temp_path $PWD/tmp; scgi_temp_path $PWD/tmp;
    server { listen 127.0.0.1:$port; root $PWD/site; }
}
END
# It listens when this returns.
"$WEB_SERVER" -e "$PWD/nginx.log" -p "$PWD" -c "$PWD/nginx.conf"
trap 'kill "$(cat nginx.pid)"' EXIT

# Import, sync, export.
quarterdeck config init >config.out
quarterdeck import site/sitemap.xml >import.out
expect "12 documents" import.out
quarterdeck sync --all --wait >sync.out
expect "12 documents synced" sync.out
quarterdeck export out >export.out
expect "wrote 12 files" export.out
folder=out/127.0.0.1_$port
expect "It keeps 7 copies" "$folder/page7.html$md"
grep -qF "rights reserved" -r out && fail "the frame of the page is in the export"
quarterdeck changes >changes.out
[ "$(wc -l <changes.out)" = 12 ] || fail "changes: $(cat changes.out)"
cursor=$(tail -n 1 changes.out | sed 's/.*"cursor":"\([^"]*\)".*/\1/')

# Nothing has changed: nothing is written again.
quarterdeck sync --all --wait >again.out
quarterdeck export out >unchanged.out
expect "wrote 0 files" unchanged.out

# A page is edited, one removed, one added.
cp -r out before
page page3 "It keeps three hundred copies from now on."
rm site/page5.html
page page13 "It keeps 13 copies unless it is told otherwise."
sitemap
quarterdeck import site/sitemap.xml >import2.out
expect "1 document" import2.out
code=0
"$QUARTERDECK" sync --all --wait >sync2.out 2>&1 || code=$?
[ $code = 1 ] || fail "exit code $code of a sync with a page that is gone"
quarterdeck remove --filter error:not_found --yes >remove.out
expect "1 document" remove.out
quarterdeck export out --prune >export2.out
expect "wrote 2 files" export2.out
expect "1 removed" export2.out
diff -r before out >differences || :
expect "< It keeps 3 copies unless it is told otherwise." differences
expect "> It keeps three hundred copies from now on." differences
expect "Only in before/127.0.0.1_$port: page5.html$md" differences
expect "Only in $folder: page13.html$md" differences
changed=$(grep -E '^(Only in|diff )' differences | grep -v '\.quarterdeck-export' | wc -l)
[ "$changed" = 3 ] || fail "$changed files differ: $(cat differences)"

# The consumer of changes gets the same three.
quarterdeck changes --after "$cursor" >changes2.out
[ "$(wc -l <changes2.out)" = 3 ] || fail "changes: $(cat changes2.out)"

# An earlier version is put back, and followed like any change.
quarterdeck versions "$site/page3.html" >versions.out
quarterdeck diff "$site/page3.html" >diff.out
expect "three hundred" diff.out
quarterdeck restore "$site/page3.html" 1 >restore.out
quarterdeck export out >export3.out
expect "wrote 1 file" export3.out
expect "It keeps 3 copies unless" "$folder/page3.html$md"
quarterdeck sync --all --wait >sync3.out
expect "It keeps 3 copies unless" "$folder/page3.html$md"

# The store moves to PostgreSQL and runs there.
quarterdeck migrate --standalone --store "$postgres" >migrate.out
quarterdeck copy --from "sqlite:$(find home -name '*.db')" --to "$postgres" >copy.out
expect "copied 12 documents" copy.out
quarterdeck export moved --store "$postgres" >export4.out
expect "wrote 12 files" export4.out
diff -r -x '.quarterdeck-export' out moved >moved.out || fail "the moved store has other texts: $(cat moved.out)"
page page4 "It keeps four hundred copies from now on."
quarterdeck sync --all --wait --store "$postgres" >sync4.out
expect "12 documents synced" sync4.out
quarterdeck export moved --store "$postgres" >export5.out
expect "wrote 1 file" export5.out
expect "It keeps four hundred copies" "moved/127.0.0.1_$port/page4.html$md"
# A cursor of the first store holds in the moved one.
quarterdeck changes --after "$cursor" --store "$postgres" >changes3.out
expect "page4.html" changes3.out
quarterdeck doctor --store "$postgres" >doctor.out
echo done
