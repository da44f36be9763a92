//! What the operating system says of this process, under the names that Prometheus' own clients use. What it does not
//! say is left out.

use std::fs;

use super::text::Text;

/// `/proc` counts processor time in ticks, which are 100 a second for programs on every Linux (`USER_HZ`).
const TICKS: f64 = 100.0;

pub(super) fn write(text: &mut Text) {
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let sizes = [
            ("VmRSS:", "process_resident_memory_bytes", "Memory of the process that is resident."),
            ("VmSize:", "process_virtual_memory_bytes", "Address space of the process."),
        ];
        for (line, name, help) in sizes {
            if let Some(bytes) = kilobytes(&status, line) {
                text.head(name, "gauge", help);
                text.sample(name, &[], bytes);
            }
        }
    }
    if let Some(Stat { seconds, threads, started }) =
        fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(stat)
    {
        text.head("process_cpu_seconds_total", "counter", "Processor time that the process took.");
        text.sample("process_cpu_seconds_total", &[], seconds);
        text.head("process_threads", "gauge", "Threads of the process.");
        text.sample("process_threads", &[], threads);
        if let Some(boot) = fs::read_to_string("/proc/stat").ok().as_deref().and_then(boot) {
            text.head("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.");
            text.sample("process_start_time_seconds", &[], boot + started);
        }
    }
    if let Some(limit) = fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(open_files) {
        text.head("process_max_fds", "gauge", "Files and sockets that the process may have open.");
        text.sample("process_max_fds", &[], limit);
    }
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        text.head("process_open_fds", "gauge", "Files and sockets that the process has open.");
        text.sample("process_open_fds", &[], entries.count());
    }
}

fn kilobytes(status: &str, line: &str) -> Option<u64> {
    let value = status.lines().find_map(|text| text.strip_prefix(line))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Of the whole process.
#[derive(Debug, PartialEq)]
struct Stat {
    /// On processors.
    seconds: f64,
    threads: u64,
    /// Seconds after the machine.
    started: f64,
}

/// The second field is the program's name and may hold spaces.
fn stat(stat: &str) -> Option<Stat> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let seconds = (ticks(11)? + ticks(12)?) / TICKS;
    Some(Stat { seconds, threads: fields.get(17)?.parse().ok()?, started: ticks(19)? / TICKS })
}

/// When the machine began, in seconds since 1970.
fn boot(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn open_files(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_and_parentheses_are_read() {
        let line = "7 (a) b) c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 12 0 4000 1 1";
        assert_eq!(stat(line), Some(Stat { seconds: 2.0, threads: 12, started: 40.0 }));
        assert_eq!(boot("cpu 1 2\nbtime 1795262400\n"), Some(1_795_262_400.0));
        assert_eq!(
            open_files("Max open files            1024                 524288               files\n"),
            Some(1024)
        );
    }
}
