//! A run of the program whose system calls are under control.
//!
//! What lives here: [`traced`], which stops every call of every thread, in the order in which they are made, and does
//! with it what a judge says. What this file must not know: which calls there are, what is tested.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::calls::{self, Call};
use crate::program::{LIMIT, Outcome};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// It is carried out.
    Pass,
    /// It is not, and the program is killed.
    Kill,
    /// It is not, and the program is told this error.
    Fail(Errno),
    /// It is not, and the program is told that it was.
    Pretend,
    /// Only the first half of the bytes is written.
    Half,
    /// It is carried out, after the program was sent this signal.
    Send(Signal),
}

/// How a run went.
pub(crate) struct Traced {
    pub(crate) outcome: Outcome,
    /// The signal that ended it.
    pub(crate) signal: Option<Signal>,
    /// The calls about the destination, in order; the last one before a kill was not carried out.
    pub(crate) calls: Vec<Call>,
}

impl Traced {
    /// Labels of the calls that change the destination.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.calls.iter().filter(|call| call.changes).map(Call::label).collect()
    }
}

/// Runs a command to its end. The judge sees each call about the destination before it is made, with how many of those
/// that change it came before.
pub(crate) fn traced(
    command: &Command,
    dest: &Path,
    judge: impl FnMut(usize, &Call) -> Act + Send,
) -> Traced {
    // A thread of its own: it waits for whatever child it has.
    thread::scope(|scope| scope.spawn(|| Run::start(command).trace(dest, judge)).join().unwrap())
}

struct Run {
    main: Pid,
    folder: tempfile::TempDir,
}

/// What a call of a thread is answered with instead of being made.
type Instead = HashMap<Pid, i32>;

impl Run {
    /// The program, waiting before its first instruction. A shell that waits for a line takes its place until it can
    /// be attached to.
    fn start(command: &Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = |name| File::create(folder.path().join(name)).unwrap();
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", "read line; exec \"$@\"", "sh"])
            .arg(command.get_program())
            .args(command.get_args());
        shell.env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::piped()).stdout(to("stdout")).stderr(to("stderr"));
        #[allow(clippy::zombie_processes, reason = "it is waited for by its number, with its threads")]
        let mut child = shell.spawn().unwrap();
        let main = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(main, options).unwrap_or_else(|error| {
            let _ = kill(main, Signal::SIGKILL);
            panic!(
                "the crash tests need ptrace, which is refused here ({error}); a container needs SYS_PTRACE"
            )
        });
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        Self { main, folder }
    }

    fn trace(self, dest: &Path, mut judge: impl FnMut(usize, &Call) -> Act) -> Traced {
        let (ended, end) = sync_channel::<()>(1);
        let main = self.main;
        let watchdog = thread::spawn(move || {
            let late = end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
            if late {
                let _ = kill(main, Signal::SIGKILL);
            }
            late
        });
        let (mut calls, mut changes) = (Vec::new(), 0);
        let mut instead = Instead::new();
        let last = loop {
            let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            let status = match waitpid(None, Some(flags)) {
                Err(Errno::EINTR) => continue,
                status => status.unwrap(),
            };
            match status {
                WaitStatus::Exited(id, _) | WaitStatus::Signaled(id, ..) if id == main => break status,
                WaitStatus::PtraceSyscall(id) => {
                    let act = entering(id).and_then(|(number, args)| {
                        let call = calls::read(id.as_raw(), dest, number, args)?;
                        let act = judge(changes, &call);
                        changes += usize::from(call.changes);
                        calls.push(call);
                        Some(act)
                    });
                    self.apply(id, act, &mut instead);
                    resume(id, None);
                }
                WaitStatus::Stopped(id, signal) => resume(id, Some(signal)),
                WaitStatus::PtraceEvent(id, ..) => resume(id, None),
                _ => {}
            }
        };
        ended.send(()).unwrap();
        assert!(!watchdog.join().unwrap(), "still running after {LIMIT:?}");
        let text = |name| {
            let bytes = fs::read(self.folder.path().join(name)).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (code, signal) = match last {
            WaitStatus::Exited(_, code) => (Some(code), None),
            WaitStatus::Signaled(_, signal, _) => (None, Some(signal)),
            _ => (None, None),
        };
        let outcome = Outcome { code, stdout: text("stdout"), stderr: text("stderr") };
        Traced { outcome, signal, calls }
    }

    /// Does with a stopped call what was decided; `None` is the end of a call, or one that is nobody's business.
    fn apply(&self, id: Pid, act: Option<Act>, instead: &mut Instead) {
        match act {
            None => {
                if let Some(answer) = instead.remove(&id) {
                    change(id, |registers| registers.rax = answer as i64 as u64);
                }
            }
            Some(Act::Pass) => {}
            Some(Act::Kill) => {
                skip(id);
                kill(self.main, Signal::SIGKILL).unwrap();
            }
            Some(Act::Fail(error)) => {
                skip(id);
                instead.insert(id, -(error as i32));
            }
            Some(Act::Pretend) => {
                skip(id);
                instead.insert(id, 0);
            }
            Some(Act::Half) => change(id, |registers| registers.rdx = registers.rdx.div_ceil(2)),
            Some(Act::Send(signal)) => kill(self.main, signal).unwrap(),
        }
    }
}

/// Number and arguments of the call that a thread begins; `None` if it ends one, or is gone.
fn entering(id: Pid) -> Option<(u64, [u64; 6])> {
    const ENTRY: u8 = 1;
    if ptrace::syscall_info(id).ok()?.op != ENTRY {
        return None;
    }
    let now = ptrace::getregs(id).ok()?;
    Some((now.orig_rax, [now.rdi, now.rsi, now.rdx, now.r10, now.r8, now.r9]))
}

/// The call is not made: there is none of this number.
fn skip(id: Pid) {
    change(id, |registers| registers.orig_rax = u64::MAX);
}

fn change(id: Pid, how: impl FnOnce(&mut libc::user_regs_struct)) {
    let mut registers = ptrace::getregs(id).unwrap();
    how(&mut registers);
    ptrace::setregs(id, registers).unwrap();
}

fn resume(id: Pid, signal: Option<Signal>) {
    match ptrace::syscall(id, signal) {
        // It was killed meanwhile.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("cannot go on: {error}"),
    }
}
