"""What untrusted code tries, as Python that sets `escaped` where it got through. Used by test_sandbox_escapes.

Names that a probe may use: `secret_path`, `folder` (where it lies), `parent` (the process id of the test), `tcp`,
`local` and `abstract` (addresses where the test listens), `call` (a raw system call by its name), `libc`, `os`,
`socket`.
"""

from __future__ import annotations

PRELUDE = """
import os, socket, sys
try:
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
except Exception:  # a WebAssembly guest has no such thing
    ctypes = libc = None
NUMBERS = {
    "x86_64": dict(ptrace=101, setuid=105, capset=126, personality=135, pivot_root=155, chroot=161, settimeofday=164,
        mount=165, swapon=167, reboot=169, sethostname=170, iopl=172, init_module=175, quotactl=179, kexec_load=246,
        add_key=248, keyctl=250, unshare=272, shmget=29, perf_event_open=298, fanotify_init=300, name_to_handle_at=303,
        open_by_handle_at=304, setns=308, process_vm_readv=310, bpf=321, execveat=322, userfaultfd=323, mq_open=240,
        syslog=103, clock_settime=227, kcmp=312, process_vm_writev=311, migrate_pages=256, vmsplice=278, modify_ldt=154,
        ioperm=173, acct=163, vhangup=153, lookup_dcookie=212, nfsservctl=180, memfd_secret=447),
    "aarch64": dict(ptrace=117, setuid=146, capset=91, personality=92, pivot_root=41, chroot=51, settimeofday=170,
        mount=40, swapon=224, reboot=142, sethostname=161, init_module=105, quotactl=60, kexec_load=104, add_key=217,
        keyctl=219, unshare=97, shmget=194, perf_event_open=241, fanotify_init=262, name_to_handle_at=264,
        open_by_handle_at=265, setns=268, process_vm_readv=270, bpf=280, execveat=281, userfaultfd=282, mq_open=180,
        syslog=116, clock_settime=112, kcmp=272, process_vm_writev=271, migrate_pages=238, vmsplice=75, acct=89,
        vhangup=58, memfd_secret=447),
}.get(os.uname().machine if hasattr(os, "uname") else "", {})
NUMBERS |= dict(io_uring_setup=425, clone3=435, open_tree=428, move_mount=429, fsopen=430,
    pidfd_open=434, pidfd_getfd=438, pidfd_send_signal=424, process_madvise=440, landlock_create_ruleset=444)
def call(name, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
"""

# Each must fail in every tier, in a Python program and in a command alike.
PROBES: dict[str, str] = {
    # Files of the host.
    "read a file of the user": "escaped = open(secret_path).read()",
    "list a folder of the user": "escaped = os.listdir(folder)",
    "read the accounts": "escaped = open('/etc/passwd').read()",
    "read the password hashes": "escaped = open('/etc/shadow').read()",
    "read by a path with dots": "escaped = open('/usr/../' + secret_path).read()",
    "read by a symbolic link": "os.symlink(secret_path, 'link'); escaped = open('link').read()",
    "list by a symbolic link to the root": "os.symlink('/', 'root'); escaped = os.listdir('root' + folder)",
    "take a hard link": "os.link(secret_path, 'hard'); escaped = open('hard').read()",
    "move a file in": "os.rename(secret_path, 'mine'); escaped = True",
    "write beside a file of the user": "open(folder + '/new', 'w').write('x'); escaped = True",
    "cut a file of the user": "os.truncate(secret_path, 0); escaped = True",
    "change its mode": "os.chmod(secret_path, 0o777); escaped = os.stat(secret_path).st_mode & 0o777 == 0o777",
    "change its times": "os.utime(secret_path, (1, 1)); escaped = True",
    "change its owner": "os.chown(secret_path, 1, 1); escaped = True",
    "remove it": "os.unlink(secret_path); escaped = True",
    "write to the system": "open('/usr/bin/new', 'w').write('x'); escaped = True",
    "change the interpreter": "open(os.__file__, 'a').write('#'); escaped = True",
    "write to the temporary folder of the host": "open(folder + '/../new', 'w').write('x'); escaped = True",
    "open a file by its handle": "call('open_by_handle_at', -100, b'x' * 16, 0); escaped = True",
    # Processes and what /proc tells of them.
    "read /proc/1/environ": "escaped = open('/proc/1/environ', 'rb').read()",
    "read the environment of the parent": "escaped = open(f'/proc/{parent}/environ', 'rb').read()",
    "read the memory of the parent": "escaped = open(f'/proc/{parent}/mem', 'rb').read(0) == b''",
    "follow the root of another process": "escaped = os.listdir('/proc/1/root' + folder)",
    "write a setting of the kernel": "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x'); escaped = True",
    "look at the devices of the kernel": "escaped = os.listdir('/sys/class')",
    "find the secret in its own environment": "escaped = 'NONET_TEST_SECRET' in os.environ",
    "trace its parent": "call('ptrace', 16, parent, 0, 0); escaped = True",
    "read memory of its parent": "call('process_vm_readv', parent, None, 0, None, 0, 0); escaped = True",
    "write memory of its parent": "call('process_vm_writev', parent, None, 0, None, 0, 0); escaped = True",
    "signal its parent": "os.kill(parent, 0); escaped = True",
    "take a descriptor of its parent": "call('pidfd_getfd', call('pidfd_open', parent, 0), 0, 0); escaped = True",
    "change the limits of its parent": "import resource as r; r.prlimit(parent, r.RLIMIT_CORE); escaped = True",
    "slow its parent down": "os.setpriority(os.PRIO_PROCESS, parent, 19); escaped = True",
    "move its parent to a core": "os.sched_setaffinity(parent, {0}); escaped = True",
    # The network and sockets of the host.
    "connect by TCP": "socket.create_connection(tcp, 1); escaped = True",
    "send by UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)); escaped = True",
    "connect by IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect(('::1', 9)); escaped = True",
    "connect to a socket in a folder": "s = socket.socket(socket.AF_UNIX); s.connect(local); escaped = True",
    "connect to an abstract socket": "s = socket.socket(socket.AF_UNIX); s.connect(abstract); escaped = True",
    "send to an abstract socket from a pair": "socket.socketpair(type=2)[0].sendto(b'x', abstract); escaped = True",
    "ask for a name": "escaped = socket.getaddrinfo('localhost', 80)",
    "talk to the kernel by netlink": "escaped = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "open a raw socket": "escaped = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "open a socket of virtual machines": "escaped = socket.socket(socket.AF_VSOCK)",
    "open a Bluetooth socket": "escaped = socket.socket(31, socket.SOCK_RAW, 1)",
    # More rights.
    "become root": "os.setuid(0); escaped = os.getuid() == 0 and libc.prctl(39, 0, 0, 0, 0) == 0",
    "become root by a system call": "call('setuid', 0); escaped = True",
    "make a program that runs as its owner": "open('s', 'w').close(); os.chmod('s', 0o4755); "
    "escaped = os.stat('s').st_mode & 0o4000",
    "have new privileges": "escaped = libc.prctl(39, 0, 0, 0, 0) == 0",
    "have a capability": "data = (ctypes.c_uint32 * 6)(); header = (ctypes.c_uint32 * 2)(0x20080522, 0); "
    "escaped = libc.capget(header, data) == 0 and any(data)",
    "set capabilities": "call('capset', bytes(8), bytes(24)); escaped = True",
    "raise a limit": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (999, 999)); escaped = True",
    "make a user namespace": "call('unshare', 0x10000000); escaped = True",
    "make a mount namespace": "call('unshare', 0x00020000); escaped = True",
    "make namespaces by clone3": "call('clone3', 0x10020000.to_bytes(8, 'little') + bytes(56), 64); escaped = True",
    "enter a namespace": "call('setns', 0, 0); escaped = True",
    "mount": "call('mount', b'none', b'.', b'tmpfs', 0, b''); escaped = True",
    "mount by the newer calls": "call('fsopen', b'tmpfs', 0); escaped = True",
    "copy the mounts": "call('open_tree', -100, b'/', 1); escaped = True",
    "change the root": "call('chroot', b'.'); escaped = True",
    "swap the root": "call('pivot_root', b'.', b'.'); escaped = True",
    "make a device": "import stat; os.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0)); escaped = True",
    # Corners of the kernel.
    "add a key": "call('add_key', b'user', b'x', b'y', 1, -3); escaped = True",
    "ask the keyring": "call('keyctl', 0, -3, 0); escaped = True",
    "set up io_uring": "call('io_uring_setup', 8, bytes(120)); escaped = True",
    "load a program into the kernel": "call('bpf', 0, bytes(72), 72); escaped = True",
    "load a module": "call('init_module', b'x', 1, b''); escaped = True",
    "load a kernel": "call('kexec_load', 0, 0, None, 0); escaped = True",
    "count events of the machine": "call('perf_event_open', bytes(112), 0, -1, -1, 0); escaped = True",
    "handle page faults": "call('userfaultfd', 0); escaped = True",
    "watch all files": "call('fanotify_init', 0, 0); escaped = True",
    "use shared memory of the host": "call('shmget', 1, 4096, 0o1600); escaped = True",
    "read the log of the kernel": "call('syslog', 3, bytes(100), 100); escaped = True",
    "set the clock": "call('clock_settime', 0, bytes(16)); escaped = True",
    "name the machine": "call('sethostname', b'x', 1); escaped = True",
    "restart the machine": "call('reboot', 0, 0, 0); escaped = True",
    "open the disk": "escaped = [os.open(d, os.O_RDONLY) for d in ('/dev/vda', '/dev/sda', '/dev/nvme0n1')]",
    "open the memory": "escaped = os.open('/dev/mem', os.O_RDONLY)",
    "open the terminal": "escaped = os.open('/dev/tty', os.O_RDWR)",
    "type into the terminal": "import fcntl; fcntl.ioctl(0, 0x5412, b'x'); escaped = True",
    "open the containers of the host": "s = socket.socket(1); s.connect('/var/run/docker.sock'); escaped = True",
    "find an open descriptor": "escaped = [number for number in range(3, 200) if _is_open(number)]",
}  # fmt: skip

HELPERS = """
def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
"""

# What a Python program must not do and a command may.
PROGRAM_ONLY: dict[str, str] = {
    "start a process": "escaped = os.fork() or os._exit(0) or True",
    "start a program": "import subprocess; escaped = subprocess.run(['/bin/true'])",
    "replace itself": "escaped = os.posix_spawn('/bin/true', ['true'], {})",
    "run a program in memory": "f = os.memfd_create('x'); escaped = call('execveat', f, b'', None, None, 0x1000) == 0",
    "signal others": "os.kill(-1, 0); escaped = True",
    "import what runs it": "import nonet; escaped = True",
}

HARMLESS_OUTSIDE = (
    "read a file of the user",
    "list a folder of the user",
    "read the accounts",
    "read by a path with dots",
    "read by a symbolic link",
    "list by a symbolic link to the root",
    "take a hard link",
    "write beside a file of the user",
    "change its mode",
    "change its times",
    "write to the temporary folder of the host",
    "find the secret in its own environment",
    "read the environment of the parent",
    "signal its parent",
    "connect by TCP",
    "connect to a socket in a folder",
    "connect to an abstract socket",
    "talk to the kernel by netlink",
    "make a program that runs as its owner",
    "have new privileges",
    "start a process",
    "start a program",
    "replace itself",
    "signal others",
)
"""Probes that get through where nothing confines them, run so that they are known to be able to."""


def program(probes: dict[str, str], names: dict[str, object]) -> str:
    """A program that tries each, and prints a line each: what it is, and whether it got through."""
    return f"""{PRELUDE}{HELPERS}
os.write(1, b'')
for name, source in {probes!r}.items():
    scope = dict(globals(), escaped=False, **{names!r})
    try:
        exec(source, scope)
        escaped = scope["escaped"]
    except Exception:
        escaped = False
    print(("ESCAPED" if escaped else "stopped"), name, flush=True)
"""
