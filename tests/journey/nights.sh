#!/bin/sh
# Nights of a documentation site that is kept in step by its sitemap, by the commands that its operator would type.
#
# usage: nights.sh FOLDER PORT PHASE
#   FOLDER  a folder of the user; the site, the settings and the store get there. It has the files `recipe`, the commands
#           that cron runs, and `config.toml`
#   PORT    a free port for the web server
#   PHASE   1: the first night; 2: the next one, after changes of the site; 3: the one after that. A day must pass between
# QUARTERDECK names the program and WEB_SERVER the web server. It ends with 0 and the last line "done" if all is as expected.
set -eu

cd "$1"
port=$2
phase=$3
site=http://127.0.0.1:$port
mkdir -p site home tmp
HOME=$PWD/home
TMPDIR=$PWD/tmp
QUARTERDECK_CONFIG=$PWD/config.toml
QUARTERDECK_STORE=sqlite:$PWD/store.db
export HOME TMPDIR QUARTERDECK_CONFIG QUARTERDECK_STORE

fail() {
    echo "nights.sh: $*" >&2
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
<main><h1>The $1</h1><p>This is how $1 is set up and used, step by step, on one machine.</p>
<h2>Details</h2><p>$2</p></main></body></html>
END
}

sitemap() { # lists the pages that the site has
    {
        echo '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        for file in site/*.html; do
            echo "<url><loc>$site/${file#site/}</loc><lastmod>2026-11-0$phase</lastmod></url>"
        done
        echo '</urlset>'
    } >site/sitemap.xml
}

night() { # night CODE: runs the recipe as cron does; its last command ends with CODE. What is printed is in night.out
    : >night.out
    last=0
    while read -r line; do
        last=0
        sh -c "$line" >>night.out 2>&1 || last=$?
    done <recipe
    [ "$last" = "$1" ] || fail "exit code $last of the night, not $1: $(cat night.out)"
}

silent() {
    [ ! -s night.out ] || fail "the night was not silent: $(cat night.out)"
}

proposals() { # proposals KIND...: these are the kinds of the open proposals, in order
    quarterdeck source proposals --json >proposals.out
    found=$(sed 's/.*"kind":"\([a-z]*\)".*/\1/' proposals.out | sort | tr '\n' ' ')
    [ "$found" = "${*:+$* }" ] || fail "proposals: $found, not $*: $(cat proposals.out)"
}

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

case $phase in
1)
    for number in 1 2 3 4 5 6; do
        page "page$number" "It keeps $number copies unless it is told otherwise."
    done
    sitemap
    quarterdeck source add "$site/sitemap.xml" --name docs >add.out
    expect "added source docs" add.out
    night 0
    silent
    proposals new new new new new new
    quarterdeck source accept --filter kind:new >accept.out
    night 0
    silent
    quarterdeck list --filter status:synced --json >list.out
    [ "$(wc -l <list.out)" = 6 ] || fail "list: $(cat list.out)"
    ;;
2)
    # A page is edited, one removed, one added.
    page page3 "It keeps three hundred copies from now on."
    rm site/page5.html
    page page7 "It keeps 7 copies unless it is told otherwise."
    sitemap
    night 1
    expect page5.html night.out
    [ "$(wc -l <night.out)" = 1 ] || fail "more than the new failure is printed: $(cat night.out)"
    proposals new
    ;;
3)
    sitemap
    night 0
    silent
    proposals gone new
    quarterdeck source accept --filter source:docs --yes >accept.out
    expect "2 proposals accepted" accept.out
    night 0
    silent
    proposals
    quarterdeck list --json >list.out
    [ "$(wc -l <list.out)" = 6 ] || fail "list: $(cat list.out)"
    grep -qF page5.html list.out && fail "page5 is still a document"
    expect '"lastmod":"2026-11-03' list.out
    quarterdeck export out >export.out
    expect "wrote 6 files" export.out
    expect "three hundred copies" "out/127.0.0.1_$port/page3.html".*
    quarterdeck doctor >doctor.out
    expect "1 source read as planned" doctor.out
    ;;
esac
echo done
