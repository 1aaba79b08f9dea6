"""Processes of this package's commands, forked from one that has imported what each would wait for first.

A test run starts hundreds of commands, and importing PyTorch takes longer than most of what they do. How an interpreter
starts and ends is for other tests: they start it themselves.
"""

import multiprocessing
import os
import signal
import subprocess

PRELOADED = [
    *("rl_pipeline.cli", "rl_pipeline.run.train", "rl_pipeline.evaluation.evaluate", "rl_pipeline.run.play"),
    *("rl_pipeline.tasks.navigation", "hydra", "matplotlib.figure", "rosbags.typesys", "rclpy"),
]
"""What is not there, such as ROS 2, is left out."""
COMMAND = """
import os, runpy, sys
os.chdir(folder), os.environ.clear(), os.environ.update(variables), os.setsid()
for number, file in enumerate(files):
    os.dup2(os.open(file, os.O_RDWR | os.O_APPEND), number)
sys.argv = words
sys.path.insert(0, folder if module else os.path.dirname(os.path.abspath(words[0])))
if module:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
else:
    runpy.run_path(words[0], run_name="__main__")
"""


class PreparedProcess:
    """A command that runs; what it has in common with `subprocess.Popen` is called the same.

    Args:
        words: `rl-pipeline` and its arguments, or `python` and a script or `-m` and a module, with theirs.
        folder: its working directory.
        variables: its environment; by default this process's.
    """

    def __init__(self, words, folder, variables=None):
        program, *arguments = map(str, words)
        module = None
        if program == "rl-pipeline":
            module, arguments = "rl_pipeline.cli", [program, *arguments]
        elif arguments[0] == "-m":
            module, arguments = arguments[1], arguments[1:]
        self.args = words
        self.returncode = None
        self._files = [os.fdopen(os.memfd_create(name), "rb") for name in ("output", "errors")]
        given = {
            "words": arguments,
            "module": module,
            "folder": str(folder),
            "variables": dict(os.environ if variables is None else variables),
            "files": [os.devnull, *(f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in self._files)],
        }
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self._process = context.Process(target=exec, args=(COMMAND, given))
        self._process.start()
        self.pid = self._process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.wait()

    def poll(self):
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout=None):
        """What it wrote to standard output and standard error, once it has ended."""
        self.wait(timeout)
        return self.written()

    def written(self):
        """What it has written to standard output and standard error so far."""
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        return tuple(texts)


def run(words, folder, variables=None, timeout=250):
    """Run a command to its end, as `subprocess.run` does."""
    with PreparedProcess(words, folder, variables) as process:
        output, errors = process.communicate(timeout)
    return subprocess.CompletedProcess(words, process.returncode, output, errors)
