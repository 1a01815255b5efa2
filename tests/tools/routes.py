# SPDX-License-Identifier: Apache-2.0
"""Reads server/s3/routes.def and what it names: shared by the lint, the coverage page and the tests."""
import pathlib
import re
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Selector:
    resource: str
    name: str
    type: str  # ResourceType
    of_bucket: bool  # at a key's path: the bucket's


@dataclass
class Route:
    kind: str  # R live, RD unset document, RN not implemented; of documents it is what they are now
    name: str
    method: str
    resource: str
    selector: str
    action: str
    params: str = ""
    version_action: str = ""  # "" when it takes no version
    takes: str = ""
    payloads: str = ""
    prepare: str = ""
    status: int = 0
    flags: list = field(default_factory=list)

    @property
    def conditions(self):
        return {c for c in self.selector.split("&") if c}


def _cell(text):
    text = text.strip()
    return text[1:-1] if text.startswith('"') else text


def actions(path=ROOT / "server/auth/actions.def"):
    """Name in the tables -> name in a policy, in order."""
    found = re.findall(r"^A\((\w+), (\w+), \w+, \w+\)", path.read_text(), re.M)
    return {name: f"{service}:{name}" for service, name in found}


def kept_documents(path=ROOT / "server/s3/documents.def"):
    """The kinds that have a READ."""
    found = re.findall(r'^DOCUMENT\("([^"]+)", .*, (\w+), (\w+), (\w+), (\w+)\)$', path.read_text(), re.M)
    return {kind for kind, read, *_ in found if read != "NULL"}


def load(path=ROOT / "server/s3/routes.def"):
    routes = []
    named = actions()
    kept = kept_documents()

    def action(name):
        return "" if name == "NONE" else named.get(name, f"{name}, which is not in actions.def")

    for line in path.read_text().splitlines():
        match = re.match(r"(R|RD|RP|RX|RN)\((.*)\)$", line)
        if not match:
            continue
        kind = match.group(1)
        cells = [_cell(c) for c in re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', match.group(2))]
        name, method, resource, selector = cells[:4]
        resource = resource.replace("RESOURCE_", "")
        if kind == "R":
            params, plain, version, takes, _maximum, payloads, prepare, status, flags = cells[4:]
            routes.append(Route(kind, name, method, resource, selector, action(plain), params,
                                action(version), takes.replace("TAKES_", ""), payloads,
                                prepare.replace("NULL", ""), int(status),
                                [f.strip() for f in flags.split("|") if f.strip() != "0"]))
        elif kind in ("RD", "RP", "RX"):
            params, plain = cells[4:6]
            is_kept = selector.partition("&")[0] in kept
            route = Route("R" if is_kept else "RD" if kind == "RD" else "RN", name, method, resource, selector, action(plain), params)
            if is_kept:
                route.takes, route.payloads = ("BUFFER", "PAYLOAD_DOCUMENT") if kind == "RP" else ("NOTHING", "PAYLOAD_PLAIN")
                route.status = int(cells[6]) if kind == "RP" else 200 if kind == "RD" else 204
                route.flags = [f.strip() for f in cells[7].split("|") if f.strip() != "0"] if kind == "RP" else []
            routes.append(route)
        else:
            routes.append(Route(kind, name, method, resource, selector, action(cells[4])))
    return routes


def selectors(path=ROOT / "server/s3/request/selectors.def"):
    found = re.findall(r'^S\(RESOURCE_(\w+), "([^"]+)", "([^"]+)", OF_(\w+)\)$', path.read_text(), re.M)
    return [Selector(resource, name, kind, of == "BUCKET") for resource, name, kind, of in found]


def refused_parameters(path=ROOT / "server/s3/request/selectors.def"):
    """(operation, parameter) of the X rows."""
    return re.findall(r'^X\((\w+), "([^"]+)"', path.read_text(), re.M)
