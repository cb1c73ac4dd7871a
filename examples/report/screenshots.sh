#!/bin/sh
# Renders the report in headless Chromium, to look at it: light, dark, narrow and printed, with few and many
# accounts.
#
# usage: examples/report/screenshots.sh [DIRECTORY]    (default: target/report)
#
# Also renders report.png, of which a copy is in this folder. Needs pngquant (the Debian package) to make it small.
# CHROMIUM names the browser (default: chromium, as the Debian package). It gets a new profile and no network services.
set -eu
directory=${1:-target/report}
chromium=${CHROMIUM:-chromium}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
cargo build --quiet --example report

# Opens file $1 with further options. Chromium prints messages of its own, which are only of interest if it fails.
browse() {
    file=$1
    shift
    profile=$(mktemp -d)
    if ! "$chromium" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$profile" "$@" "file://$file" \
        >"$directory/chromium.log" 2>&1; then
        cat "$directory/chromium.log" >&2
        exit 1
    fi
    rm -rf "$profile"
}

# Four simulators, so 80 and 2,000 accounts.
for accounts in 20 500; do
    page=$directory/$accounts.html
    cargo run --quiet --example report -- --simulated-accounts "$accounts" --output "$page"
    # `preferredColorScheme` is 0 for dark and 1 for light. It switches `prefers-color-scheme`.
    for scheme in 0:dark 1:light; do
        name=$accounts-${scheme#*:}
        browse "$page" --blink-settings=preferredColorScheme="${scheme%:*}" --window-size=1280,6000 \
            --screenshot="$directory/$name.png"
        browse "$page" --blink-settings=preferredColorScheme="${scheme%:*}" --window-size=1280,900 \
            --screenshot="$directory/$name-top.png"
    done
    # Headless windows are at least 500 pixels wide, so a narrow page is a frame.
    printf '<!DOCTYPE html><iframe src="%s" style="border:0;width:390px;height:7000px"></iframe>' "$accounts.html" \
        >"$directory/narrow.html"
    browse "$directory/narrow.html" --blink-settings=preferredColorScheme=1 --window-size=500,7000 \
        --screenshot="$directory/$accounts-narrow.png"
    browse "$page" --blink-settings=preferredColorScheme=0 --no-pdf-header-footer \
        --print-to-pdf="$directory/$accounts.pdf"
done
browse "$directory/20.html" --blink-settings=preferredColorScheme=1 --window-size=1280,1745 \
    --screenshot="$directory/report.png"
pngquant --force --strip --output examples/report/report.png 64 "$directory/report.png"
ls -l "$directory"
