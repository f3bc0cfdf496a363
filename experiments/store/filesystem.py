"""File systems: where SQLite's write-ahead log must not lie.

The log is shared between processes through memory that is mapped from a file. A network file system cannot
map one file for two machines, and few of them flush when they are told to: what was acknowledged would not
be safe there.
"""

from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_NETWORKED = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
_NETWORKED_FUSE = frozenset({"fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse"})


def network_filesystem(folder: Path, mounts: str | None = None) -> str | None:
    """Name the network file system that a folder lies on; None if it lies on none, or nobody can tell.

    Parameters
    ----------
    folder
        An existing folder.
    mounts
        The mounted file systems as Linux lists them; None to ask the system.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None  # not Linux: nobody can tell
    place = folder.resolve()
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            kinds[Path(_unescaped(fields[1]))] = fields[2]  # a later mount hides an earlier one
    nearest = next((each for each in (place, *place.parents) if each in kinds), None)
    kind = kinds[nearest] if nearest is not None else ""
    return kind if kind in _NETWORKED or kind in _NETWORKED_FUSE else None


def _unescaped(path: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, character)
    return path
