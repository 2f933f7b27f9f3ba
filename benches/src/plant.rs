//! A server in a process of its own, so that its memory and time can be told from the bench's.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

pub(crate) struct Plant {
    child: Child,
    program: PathBuf,
    folder: TempDir,
    /// Where clients connect.
    pub(crate) address: String,
}

impl Plant {
    /// Starts `tickwire serve`, the one that stands beside this program, on a simulated market.
    pub(crate) fn start(rate: u32, symbols: usize) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("tickwire");
        ensure!(program.exists(), "no {}: cargo build --release --bins", program.display());
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("secret.key"), "a secret for one bench, on loopback only")?;
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
             [[auth.keys]]\nalgorithm = \"HS256\"\nsecret_file = \"secret.key\"\n\
             [[feed]]\nname = \"sim\"\nkind = \"sim\"\nseed = 1\nsymbols = {symbols}\nrate = {rate}\n"
        );
        let path = folder.path().join("tickwire.toml");
        fs::write(&path, config)?;
        let mut command = Command::new(&program);
        command.args(["serve", "--log-format", "text", "-c"]).arg(&path);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let log = child.stderr.take().context("a log")?;
        let mut lines = BufReader::new(log).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("serving ws://")?;
            Some(rest.split('/').next()?.to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, program, folder, address: address.context("the server did not start")? })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn token(&self) -> anyhow::Result<String> {
        let config = self.folder.path().join("tickwire.toml");
        mint(&self.program, &config)
    }
}

fn mint(program: &Path, config: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command.args(["token", "mint", "--sub", "bench", "--scope", "stream:*", "-c"]).arg(config);
    let output = command.output()?;
    ensure!(output.status.success(), "no token: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Drop for Plant {
    fn drop(&mut self) {
        // It has no state that a kill could harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
