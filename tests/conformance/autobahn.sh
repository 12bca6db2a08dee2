#!/usr/bin/env bash
# Install autobahntestsuite, which runs on Python 2.7 only, into a folder, with Python from Debian bullseye. Nothing is
# installed outside of it. Needs apt-get, dpkg, pip and a network: tests/conformance/autobahn.sh .clients/autobahn
set -euo pipefail
mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/root" "$1/site" "$1/sources"
cd "$1"
here=$PWD

echo "deb [trusted=yes] http://deb.debian.org/debian bullseye main" > sources.list
bullseye() {
    apt-get -qq -o Dir::Etc::sourcelist="$here/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$here/lists" -o Dir::Cache="$here/cache" "$@"
}
bullseye update
bullseye download libpython2.7-minimal libpython2.7-stdlib python2.7 python2.7-minimal libssl1.1 libffi7
for package in *.deb; do dpkg -x "$package" root; done

python3 -m pip download -q --no-deps pip==20.3.4
python27() {
    env -u PIP_CONSTRAINT -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null \
        LD_LIBRARY_PATH="$here/root/usr/lib/x86_64-linux-gnu" PYTHONHOME="$here/root/usr" \
        PYTHONPATH="$here/pip-20.3.4-py2.py3-none-any.whl:$here/site" \
        root/usr/bin/python2.7 -W ignore "$@"
}
python27 -m pip install -q --no-deps --only-binary :all: --target site \
    Twisted==19.10.0 klein==17.10.0 incremental==16.10.1 zope.interface==4.6.0 constantly==15.1.0 Automat==20.2.0 \
    hyperlink==21.0.0 idna==2.10 typing==3.10.0.0 PyHamcrest==1.9.0 attrs==21.4.0 six==1.16.0 Werkzeug==1.0.1 \
    Jinja2==2.11.3 MarkupSafe==1.1.1 pyOpenSSL==19.1.0 cryptography==3.3.2 cffi==1.15.1 pycparser==2.21 \
    service_identity==18.1.0 pyasn1==0.5.1 pyasn1-modules==0.3.0 ipaddress==1.0.23 enum34==1.1.10 unittest2==1.1.0 \
    traceback2==1.4.0 linecache2==1.0.0 setuptools==44.1.1
python27 -m pip download -q --no-deps --no-binary :all: -d sources autobahn==0.10.9 txaio==2.1.0
python3 -m pip download -q --no-deps --no-binary :all: -d sources autobahntestsuite==25.10.1
for source in sources/*.tar.gz; do tar -xzf "$source" -C sources; done
cp -r sources/autobahn-*/autobahn sources/txaio-*/txaio sources/autobahntestsuite-*/autobahntestsuite site
touch site/zope/__init__.py

cat > wstest <<END
#!/bin/sh
export LD_LIBRARY_PATH=$here/root/usr/lib/x86_64-linux-gnu PYTHONHOME=$here/root/usr PYTHONPATH=$here/site
exec $here/root/usr/bin/python2.7 -c 'from autobahntestsuite.wstest import run; run()' "\$@"
END
chmod +x wstest
