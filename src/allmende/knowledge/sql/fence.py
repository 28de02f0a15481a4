"""What a process takes from itself before it reads a stranger's SQL: resources, files, network, other processes.

DuckDB has locks of its own, and they come first (see :mod:`allmende.knowledge.sql.child`). What stands here is what the
kernel holds where those had a hole. Standard library alone; on systems other than Linux the limits of resources remain.
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable

LANDLOCK, SECCOMP, RESOURCES = "landlock", "seccomp", "resources"

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38

# linux/landlock.h
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_READ_FILE, _TRUNCATE = 1 << 2, 1 << 14
_FOLDER = _READ_FILE | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8
"""Write, list, make and remove files and folders."""
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights to files that an ABI knows, from that ABI on."""
_NETWORK, _SCOPES = 0b11, 0b11
"""TCP: bind and connect (ABI 4). Abstract sockets and signals to others (ABI 6)."""

# linux/seccomp.h, linux/bpf_common.h: load a word, jump if equal, if greater or equal, if a bit is set; return
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
"""``_REFUSE`` answers EPERM, ``_UNKNOWN`` ENOSYS, by which the C library takes the older call."""
_CLONE_THREAD = 0x10000

# Calls that a question has no use for, by their numbers on each machine: processes and signals; sockets; the system;
# what Landlock does not hold of files (modes, owners, times); others' order and memory; memory that is shared by name.
_X86 = (
    *(57, 58, 59, 322, 62, 200, 129, 101, 310, 311, 424, 434, 438),
    *(41, 42, 43, 44, 46, 49, 50, 53, 288),
    *(155, 161, 164, 165, 166, 169, 170, 175, 227, 246, 248, 249, 250, 272, 298, 304, 308, 313, 319, 321, 323),
    *(425, 426, 427, 90, 91, 268, 452, 92, 93, 94, 260, 280, 188, 189, 190),
    *(141, 142, 144, 203, 251, 256, 279, 312, 314, 440, 448, 29, 30, 64, 68, 240),
)
_ARM = (
    *(221, 281, 129, 130, 138, 117, 270, 271, 424, 434, 438),
    *(198, 199, 200, 201, 202, 203, 206, 211, 242),
    *(39, 40, 41, 51, 97, 104, 105, 112, 142, 161, 170, 217, 218, 219, 241, 265, 268, 273, 279, 280, 282),
    *(425, 426, 427, 52, 53, 452, 54, 55, 88, 5, 6, 7),
    *(140, 118, 119, 122, 30, 238, 239, 272, 274, 440, 448, 194, 196, 190, 186, 180),
)
_MACHINES = {"x86_64": (0xC000003E, 56, 302, 317, _X86), "aarch64": (0xC00000B7, 220, 261, 277, _ARM)}
"""Audit number, ``clone``, ``prlimit64``, ``seccomp``, what is refused."""
_CLONE3 = 435


def die_with(parent: int) -> None:
    """End with the process that started this one, whatever ends it; and be the first to go where memory runs out."""
    if sys.platform == "linux":
        _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    if os.getppid() != parent:  # it ended before this was said
        os._exit(1)
    with contextlib.suppress(OSError):
        os.nice(5)


def limit_resources(*, memory: int, seconds: float, file_bytes: int, files: int) -> None:
    """Bytes of memory beyond what is taken already, seconds of processor, bytes of one file that is written, and open
    files. (The number of processes is one of the whole account: seccomp refuses new ones.)"""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, int(seconds) + 1)
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_NOFILE, files)
    _lower(resource.RLIMIT_DATA, memory + _data_now())


def forbid_files(readable: Iterable[str], folder: str) -> bool:
    """Read these files, do as one likes in this folder (none, where it is empty), and touch no other one; False where
    the kernel has no Landlock. For this thread and those that it starts. Raises OSError."""
    if sys.platform != "linux":
        return False
    abi = _syscall(_CREATE, None, 0, 1)
    if abi < 1:
        return False
    rights = next(mask for least, mask in sorted(_RIGHTS.items(), reverse=True) if abi >= least)
    words = [rights, *([_NETWORK] if abi >= 4 else []), *([_SCOPES] if abi >= 6 else [])]
    said = struct.pack(f"={len(words)}Q", *words)
    rules = _syscall(_CREATE, said, len(said), 0)
    _demand(rules)
    for path in readable:
        _open_up(rules, path, _READ_FILE, os.O_CLOEXEC)
    if folder:
        _open_up(rules, folder, (_FOLDER | _TRUNCATE) & rights, os.O_DIRECTORY | os.O_CLOEXEC)
    _demand(_call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _demand(_syscall(_RESTRICT, rules, 0))
    os.close(rules)
    return True


def forbid_calls() -> bool:
    """Refuse sockets, other programs and processes, and what changes the system, in all threads; False on machines
    whose numbers are not known here, and where the kernel has no filters. Raises OSError."""
    known = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if known is None:
        return False
    audit, clone, limits, seccomp, refused = known
    program = (ctypes.c_char * 8 * 256)()
    steps = _program(audit, clone, limits, refused)
    for place, step in enumerate(steps):
        program[place].raw = step
    head = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    _demand(_call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0))
    _demand(_call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    done = _syscall(seccomp, 1, 1, head)  # SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_TSYNC
    if done < 0 and ctypes.get_errno() in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    _demand(done)
    return True


def _program(audit: int, clone: int, limits: int, refused: tuple[int, ...]) -> list[bytes]:
    """The filter, in classic BPF. A jump counts the steps that are left out. Threads may be started, and one's own
    limits read."""
    steps = [
        _step(_LOAD, 4), _step(_EQUAL, audit, 1, 0), _step(_RETURN, _KILL),
        _step(_LOAD, 0), _step(_AT_LEAST, 0x40000000, 0, 1), _step(_RETURN, _KILL),  # x32, under other numbers
        _step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _UNKNOWN),
        _step(_EQUAL, clone, 0, 4), _step(_LOAD, 16), _step(_ANY_BIT, _CLONE_THREAD, 0, 1), _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE),
        _step(_EQUAL, limits, 0, 4), _step(_LOAD, 16), _step(_EQUAL, 0, 0, 1), _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE),
    ]  # fmt: skip
    for number in refused:
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _REFUSE)]
    return [*steps, _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)


def _open_up(rules: int, path: str, rights: int, flags: int) -> None:
    file = os.open(path, os.O_PATH | flags)
    try:
        _demand(_syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", rights, file), 0))
    finally:
        os.close(file)


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _data_now() -> int:
    """Bytes that count for RLIMIT_DATA already."""
    try:
        with open("/proc/self/status") as file:
            said = next(line for line in file if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return 256 << 20
    return int(said.split()[1]) * 1024


def _call(name: str, *arguments: int) -> int:
    return int(getattr(_library(), name)(*map(ctypes.c_ulong, arguments)))


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    said = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(_library().syscall(ctypes.c_long(number), *said))


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _demand(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
