"""Debian hosts with systemd on one machine: namespaces with a root of their own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.hosts import Host
from tests.support.parts import program_or_skip
from tests.support.waiting import wait_until

_RELEASE = "trixie"
_PACKAGES = (
    "systemd-sysv",
    "dbus",
    "procps",
    "curl",
    "ca-certificates",
    "nginx-light",
    "logrotate",
    "postgresql",
)
_BOOT = """
set -e
mount --make-rprivate /
cd "$FOLDER"
mount -t overlay -o "lowerdir=$LOWER,upperdir=upper,workdir=work" none root
cd root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in run tmp dev; do mount -t tmpfs tmpfs $folder; done
chmod 1777 tmp
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir -p outside
pivot_root . outside
cd /
umount -l /outside
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=no
"""
_NAMESPACES = ("-m", "-p", "-n", "-u", "-i", "-C")


class Machine:
    """A booted host."""

    def __init__(self, host: Host, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.host, self._folder, self._process = host, folder, process
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: bool(children.read_text()), f"{host.name} does not boot")
        self._init = int(children.read_text())
        wait_until(self._has_booted, f"{host.name} does not boot", seconds=60)

    def _has_booted(self) -> bool:
        command = self._command("systemctl", "is-system-running")
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.stdout.strip() in {"running", "degraded"}

    @property
    def address(self) -> str:
        return self.host.address

    def _command(self, *arguments: str) -> list[str]:
        return ["nsenter", "-t", str(self._init), *_NAMESPACES, "--", *arguments]

    def __call__(self, script: str, **environment: str) -> str:
        """Run a script as root on the host; return its output."""
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        done = subprocess.run(
            self._command("sh", "-euc", script),
            env=path | environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{self.host.name}: {done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def put(self, source: Path, target: str) -> None:
        """Copy a folder to the host."""
        shutil.copytree(source, self._path(target), symlinks=True)

    def write(self, target: str, text: str) -> None:
        """Write a file of the host that only root can read."""
        path = self._path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)

    def _path(self, target: str) -> Path:
        return Path(f"/proc/{self._init}/root{target}")

    def lose_power(self) -> None:
        """End it at once: nothing of it says goodbye."""
        self.host.cut_off()
        self.end()

    def power_off(self) -> None:
        """Shut it down: its services stop as they wish to."""
        with suppress(AssertionError):  # the command ends with the host
            self("systemctl poweroff")
        self._process.wait(120)

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Roots:
    """The layers that hosts have in common, the uppermost first."""

    folder: Path
    layers: tuple[Path, ...]

    @contextmanager
    def boot(self, host: Host, *, keep: bool = False) -> Iterator[Machine]:
        """Boot a host, and end it with the context; with `keep`, its changes stay."""
        folder = self.folder / host.name
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        group = _groups() / host.name
        group.mkdir()
        with (self.folder / f"{host.name}.log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", _IN_GROUP, "sh", str(group / "cgroup.procs"), *host.prefix, *_UNSHARE],
                env=os.environ
                | {"LOWER": ":".join(map(str, self.layers)), "FOLDER": str(folder), "BOOT": _BOOT},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield Machine(host, folder, process)
        finally:
            process.kill()
            process.wait()
            _remove_group(group)
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)

    def with_layer(self, host: Host) -> "Roots":
        """Return the layers with what was changed on a host that was kept."""
        return Roots(self.folder, (self.folder / host.name / "upper", *self.layers))


_IN_GROUP = 'echo $$ >"$1"; shift; exec "$@"'
_UNSHARE = (
    *("unshare", "--cgroup", "--pid", "--fork", "--mount", "--uts", "--ipc"),
    *("--kill-child=SIGKILL", "sh", "-c", 'eval "$BOOT"'),
)


def debian(folder: Path) -> Roots:
    """Make the root of a Debian with the packages that the hosts need (TEST_BASE: without them)."""
    base = Path(os.environ.get("TEST_BASE") or _debootstrap(folder / "base"))
    layer = folder / "packages"
    for name in ("upper", "work", "merged"):
        (layer / name).mkdir(parents=True)
    install = (
        "cd $FOLDER/merged/etc; cp /etc/resolv.conf .; mkdir -p postgresql-common;"
        "echo 'create_main_cluster = false' >postgresql-common/createcluster.conf;"
        'exec chroot $FOLDER/merged sh -ec "apt-get -q update;'
        f"apt-get -qy install --no-install-recommends {' '.join(_PACKAGES)}; apt-get clean;"
        # As the boot script does before it installs nginx.
        'ln -s /dev/null /etc/systemd/system/nginx.service"'
    )
    mount = "mount -t overlay -o lowerdir=$LOWER,upperdir=$FOLDER/upper,workdir=$FOLDER/work none "
    subprocess.run(
        ["unshare", "--mount", "sh", "-ec", f"{mount} $FOLDER/merged; {install}"],
        env=os.environ
        | {"LOWER": str(base), "FOLDER": str(layer), "DEBIAN_FRONTEND": "noninteractive"},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Roots(folder, (layer / "upper", base))


def _debootstrap(base: Path) -> Path:
    program = program_or_skip("debootstrap", "debootstrap")
    packages = "--include=python3,python3-venv,ca-certificates"
    subprocess.run([program, "--variant=minbase", packages, _RELEASE, str(base)], check=True)
    return base


def _groups() -> Path:
    """Return the root of the unified control groups."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return Path(next(point for _, point, kind, *_ in mounts if kind == "cgroup2"))


def _remove_group(group: Path) -> None:
    """Remove a control group whose processes have been killed."""
    for folder in sorted(group.rglob("*"), reverse=True):
        if folder.is_dir():
            _remove(folder)
    _remove(group)


def _remove(folder: Path) -> None:
    for _ in range(50):
        try:
            folder.rmdir()
        except OSError:  # its last process has not ended yet
            time.sleep(0.1)
        else:
            return
