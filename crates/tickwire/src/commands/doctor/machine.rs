//! What the kernel says of the machine, under a root that tests can make up.

use std::path::PathBuf;

/// A machine.
pub(super) struct Machine {
    root: PathBuf,
}

impl Machine {
    /// This one.
    pub(super) fn here() -> Self {
        Self { root: PathBuf::from("/") }
    }

    #[cfg(test)]
    pub(super) fn made_up(files: &[(&str, &str)]) -> (tempfile::TempDir, Self) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = folder.path().to_owned();
        (folder, Self { root })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.path(name)).ok()?.trim().to_owned())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// The numbers of a line.
    pub(super) fn numbers(&self, name: &str) -> Option<Vec<u64>> {
        self.text(name)?.split_whitespace().map(|number| number.parse().ok()).collect()
    }

    /// What a process may have at once: the limit in force, and how far it may be raised; `None` within = any number.
    pub(super) fn limit(&self, name: &str) -> Option<(Option<u64>, Option<u64>)> {
        let limits = self.text("proc/self/limits")?;
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        let mut values = line.split_whitespace().map(|value| value.parse().ok());
        Some((values.next()?, values.next()?))
    }

    /// A figure in kB of `/proc/meminfo`, in bytes.
    pub(super) fn memory(&self, name: &str) -> Option<u64> {
        let text = self.text("proc/meminfo")?;
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    }

    /// The bounds of this process's control group, and of those above it: the value of a file in each, the nearest
    /// first.
    pub(super) fn groups(&self, controller: &str, file: &str) -> Vec<String> {
        let Some(text) = self.text("proc/self/cgroup") else { return Vec::new() };
        let mine = |line: &str| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?.to_owned());
            match controllers {
                "" => Some((String::new(), path)),
                controllers => {
                    let has = controllers.split(',').any(|name| name == controller);
                    has.then(|| (format!("/{controllers}"), path))
                }
            }
        };
        let mut found = Vec::new();
        for (folder, path) in text.lines().filter_map(mine) {
            let mut path = path.trim_matches('/');
            loop {
                found.extend(self.text(&format!("sys/fs/cgroup{folder}/{path}/{file}")));
                if path.is_empty() {
                    break;
                }
                path = path.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 unlimited            files     \n";
        let (_folder, machine) = Machine::made_up(&[
            ("proc/self/limits", limits),
            ("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    2048 kB\n"),
            ("proc/sys/net/ipv4/tcp_mem", "1\t2\t3\n"),
            ("proc/self/cgroup", "4:cpu,memory:/a/b\n0::/c\n"),
            ("sys/fs/cgroup/cpu,memory/a/memory.max", "7\n"),
            ("sys/fs/cgroup/c/memory.max", "max\n"),
        ]);
        assert_eq!(machine.limit("Max open files"), Some((Some(1_024), None)));
        assert_eq!(machine.memory("MemAvailable"), Some(2 << 20));
        assert_eq!(machine.numbers("proc/sys/net/ipv4/tcp_mem"), Some(vec![1, 2, 3]));
        assert_eq!(machine.groups("memory", "memory.max"), ["7", "max"]);
        assert_eq!(machine.number("proc/nothing"), None);
    }
}
