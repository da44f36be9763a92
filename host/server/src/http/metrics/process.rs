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
    if let Some((seconds, threads)) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(stat) {
        text.head("process_cpu_seconds_total", "counter", "Processor time that the process took.");
        text.sample("process_cpu_seconds_total", &[], seconds);
        text.head("process_threads", "gauge", "Threads of the process.");
        text.sample("process_threads", &[], threads);
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

/// Processor seconds and threads. The second field is the program's name and may hold spaces.
fn stat(stat: &str) -> Option<(f64, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some(((ticks(11)? + ticks(12)?) / TICKS, fields.get(17)?.parse().ok()?))
}
