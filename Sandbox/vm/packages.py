# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Where Debian's packages come from: the sources that this host's apt is configured with.

No mirror is named here. The host's own sources say where Debian's archive is, and the guest's
release is asked of the same place, whether or not the host runs that release.
"""

import os
from collections import namedtuple
from pathlib import Path

from .process import SandboxError, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# Which releases of an archive the guest takes, by the label that the archive gives itself.
SUFFIXES = {"Debian": ("", "-updates"), "Debian-Security": ("-security",)}

Archive = namedtuple("Archive", "uri label codename")


def parse_targets(text):
    """The archives of Debian in the output of `apt-get indextargets`, each once, in order."""
    found = []
    for line in text.splitlines():
        uri, origin, label, codename, component = (line.split("|") + [""] * 5)[:5]
        archive = Archive(uri.rstrip("/"), label, codename)
        if origin == "Debian" and component == "main" and archive not in found:
            found.append(archive)
    return found


def configured_archives():
    """The archives of Debian that the host's apt knows, after `apt-get update` where needed."""
    form = "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)"
    query = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    archives = parse_targets(run(query))
    if not archives and os.geteuid() == 0:
        # What an archive calls itself is known only once its index has been fetched.
        run(["apt-get", "update", "-q"])
        archives = parse_targets(run(query))
    if not archives:
        raise SandboxError(
            "apt has no source of Debian's main archive on this host; "
            "name a sources.list for the guest with UCMK_SANDBOX_SOURCES=FILE"
        )
    return archives


def source_lines(archives, guest, keyring=KEYRING):
    """Lines of a sources.list that give the guest's release from the given archives.

    The guest of the host's own release gets what the host gets (updates and security fixes);
    another release only the main archive, since the host proves nothing about the others.
    """
    option = f"[signed-by={keyring}] " if keyring and keyring.exists() else ""
    native = any(archive.codename == guest for archive in archives)
    suites = []
    for archive in archives:
        for suffix in SUFFIXES.get(archive.label, ()):
            wanted = guest + suffix
            known = archive.codename == wanted if native else suffix == ""
            if known and (archive.uri, wanted) not in suites:
                suites.append((archive.uri, wanted))
    return [f"deb {option}{uri} {suite} main" for uri, suite in suites]


def sources_for(guest):
    """The sources.list lines for a guest: `UCMK_SANDBOX_SOURCES`, else made from the host's."""
    given = os.environ.get("UCMK_SANDBOX_SOURCES")
    if given:
        return Path(given).read_text(encoding="utf-8").splitlines()
    return source_lines(configured_archives(), guest)


def apt_options():
    """The host's proxy settings, as options for another apt."""
    kept = []
    for line in run(["apt-config", "dump"]).splitlines():
        name = line.split(" ", 1)[0]
        if name.startswith("Acquire::http") and "Proxy" in name:
            kept.append(line)
    return kept
