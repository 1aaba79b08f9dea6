"""Registry of message and service types: those of workspaces, and of ROS 2's standard packages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.interfaces.codec import MessageCodec
from rl_pipeline.interfaces.packages import Package, find_packages
from rl_pipeline.interfaces.parsing import (
    Definition,
    parse_message,
    split_service,
    standard_definitions,
    two_part,
)
from rl_pipeline.interfaces.types import Struct
from rl_pipeline.interfaces.workspaces import WORKSPACE_KEY, WORKSPACE_VARIABLE, workspaces

_SOURCES = f"{WORKSPACE_KEY} and ${WORKSPACE_VARIABLE}"

# rosbags knows messages only.
_STANDARD_SERVICES = {
    "std_srvs/Empty": "---",
    "std_srvs/SetBool": "bool data\n---\nbool success\nstring message",
    "std_srvs/Trigger": "---\nbool success\nstring message",
}


@dataclass(frozen=True)
class Service:
    """A service type.

    Attributes:
        name: two-part name, as it goes over the wire, such as `interfaces_pkg/NavigationStep`.
        request: codec of the request.
        response: codec of the response.
        source: file that defines it; its name for a standard service.
    """

    name: str
    request: MessageCodec
    response: MessageCodec
    source: str


class Interfaces:
    """Message and service types by name.

    A file is read when its type is first requested, so that a broken file affects only users of its type. If several
    workspaces have a package of the same name, the first counts; all take precedence over the standard packages.

    Attributes:
        workspaces: searched folders, in this order.
        packages: names of the packages found there.
    """

    def __init__(self, *workspaces: Path) -> None:
        """Index the packages below each workspace folder.

        Raises:
            InputError: a workspace that is no folder, or a package.xml without a name.
        """
        # Of packages of one name, the first.
        self.workspaces = workspaces
        packages: dict[str, Package] = {}
        for workspace in workspaces:
            if not workspace.is_dir():
                raise InputError(f"{workspace}: expected a folder with ROS packages ({_SOURCES} name it)")
            for package in find_packages(workspace):
                packages.setdefault(package.name, package)
        self.packages = frozenset(packages)
        # Files by the names of their types; each is read on demand.
        self._message_files = {
            name: files for one in packages.values() for name, files in one.definitions("msg").items()
        }
        self._service_files = {
            name: files for one in packages.values() for name, files in one.definitions("srv").items()
        }
        self._structs: dict[str, Struct] = {}
        self._codecs: dict[str, MessageCodec] = {}
        self._services: dict[str, Service] = {}

    @property
    def messages(self) -> list[str]:
        """Two-part names of all message types."""
        return sorted({*self._message_files, *self._standard})

    @property
    def services(self) -> list[str]:
        """Two-part names of all service types."""
        return sorted({*self._service_files, *_STANDARD_SERVICES})

    def message(self, name: str) -> MessageCodec:
        """Return the codec of a message type, named `package/Type` or `package/msg/Type`.

        Raises:
            UnknownNameError: no such message.
            InputError: its definition, or one that it refers to, cannot be read, or has a field of a type that has no
                encoding here, such as `wstring`.
        """
        name = two_part(name)
        if name not in self._codecs:
            self._codecs[name] = MessageCodec(self._struct(name, "", ()))
        return self._codecs[name]

    def text(self, name: str) -> str | None:
        """Return the text that defines a message in the workspaces; None for a standard or unknown message.

        Raises:
            InputError: the file cannot be read.
        """
        path = _only(self._message_files, two_part(name))
        return _read(path) if path is not None else None

    def service(self, name: str) -> Service:
        """Return a service type, named `package/Type` or `package/srv/Type`.

        Raises:
            UnknownNameError: no such service.
            InputError: as for a message; or a half is empty, which ROS and Unity encode differently.
        """
        name = two_part(name)
        if name not in self._services:
            self._services[name] = self._read_service(name)
        return self._services[name]

    @cached_property
    def _standard(self) -> dict[str, Definition]:
        return standard_definitions()

    def _struct(self, name: str, where: str, outer: tuple[str, ...]) -> Struct:
        """Return the type of a message that `where` refers to, inside the messages `outer`."""
        if name in outer:
            raise InputError(f"{where}: message {name} contains itself")
        if name not in self._structs:
            definition = self._definition(name, where)
            self._structs[name] = definition.struct(lambda inner, at: self._struct(inner, at, (*outer, name)))
        return self._structs[name]

    def _definition(self, name: str, where: str) -> Definition:
        if path := _only(self._message_files, name):
            return parse_message(_read(path), name, str(path))
        try:
            return self._standard[name]
        except KeyError:
            raise self._unknown("message", name, self.messages, where) from None

    def _unknown(self, kind: str, name: str, valid: list[str], where: str = "") -> UnknownNameError:
        """Make the error for an unknown name; suggest its type in other packages, or types of its package."""
        hint = f" ({_SOURCES} name folders with packages of your own)"
        where = where or f"standard packages and {', '.join(map(str, self.workspaces))}"
        # A wrong package, a wrong type, or both.
        package, _, type_name = name.rpartition("/")
        same_type = [other for other in valid if other.rpartition("/")[2].lower() == type_name.lower()]
        same_package = [other for other in valid if other.startswith(f"{package}/")]
        if near := same_type or same_package:
            return UnknownNameError(kind, name, near, where, hint)
        packages = {other.partition("/")[0] for other in valid}
        return UnknownNameError(f"package of {kind} {name!r}:", package, packages, where, hint)

    def _read_service(self, name: str) -> Service:
        # The file, or the text of a standard service.
        path = _only(self._service_files, name)
        if path is None and name not in _STANDARD_SERVICES:
            raise self._unknown("service", name, self.services)
        source = str(path) if path else name
        request, response, line = split_service(_read(path) if path else _STANDARD_SERVICES[name], source)
        halves = {
            "Request": parse_message(request, f"{name}_Request", source),
            "Response": parse_message(response, f"{name}_Response", source, line),
        }
        # Unity encodes an empty message without the dummy byte of ROS, so that neither reads the other's.
        for half, definition in halves.items():
            if path and definition.is_empty:
                raise InputError(
                    f"{source}: the {half.lower()} is empty; give it at least one field, such as `bool ok`"
                )
        request_codec, response_codec = (
            MessageCodec(half.struct(lambda inner, at: self._struct(inner, at, ()))) for half in halves.values()
        )
        return Service(name, request_codec, response_codec, source)


def load_interfaces(*folders: Path) -> Interfaces:
    """Load the interfaces of workspace folders and of the standard packages.

    Without arguments: the folders that `simulation.workspace` and $RL_PIPELINE_WORKSPACE name, then the `ros_ws/src`
    of this project; this result is cached.

    Raises:
        InputError: a workspace that is no folder, or a package.xml without a name.
    """
    return Interfaces(*folders) if folders else _default_interfaces(workspaces())


@cache
def _default_interfaces(first: tuple[Path, ...]) -> Interfaces:
    own = Path(__file__).parent / "workspace"
    checkout = Path(__file__).parents[2] / "ros_ws" / "src"
    return Interfaces(*first, *filter(Path.is_dir, (checkout, own)))


def _only(files: dict[str, list[Path]], name: str) -> Path | None:
    """Return the file that defines a type; None if there is none.

    Raises:
        InputError: several files of the package have this name.
    """
    paths = files.get(name, [])
    if len(paths) > 1:
        shown = ", ".join(map(str, paths))
        raise InputError(f"{name}: several files of one package define it: {shown}; name one of them in CMakeLists.txt")
    return paths[0] if paths else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the definition: {error}") from None
