//! The module finds the cookies that a native build finds, though it searches sixteen bytes at once with other instructions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stickiness::balancer::Balancer;
use stickiness::config::Config;
use stickiness::exchange::{Request, RouteChoice};
use stickiness::time::Timestamp;
use stickiness::trust::binding::Binding;
use stickiness::trust::key_ring::{CookieKind, Key, KeyRing};
use stickiness::trust::scope::Scope;
use stickiness::trust::value_encoding::seal;
use wasm_host::{Host, Vm};

use super::plugin::module;

const CONFIGURATION: &str = r#"{"keys": [{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}], "target_groups": {"web": {}}}"#;

fn ring() -> KeyRing {
    KeyRing::new(Key::new(&std::array::from_fn(|byte| u8::try_from(byte).unwrap())), Vec::new())
}

/// A good value for a target with this number. Values of greater numbers are newer.
fn value(number: u8, now: u64) -> String {
    let issued_at = Timestamp::from_millis(now - 60_000 + u64::from(number));
    let target = format!("10.0.0.{number}:80").into();
    let binding = Binding { target_group: "web".into(), target, scope: Scope::default(), issued_at };
    seal(&ring(), CookieKind::LbCookie, &binding.to_bytes().unwrap(), &[number; 24]).unwrap()
}

/// Numbers that are the same in every run (Knuth, "The Art of Computer Programming", volume 2, section 3.3.4).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// A header of parts that mean something to a reader of cookies, in any order.
fn header(numbers: &mut Numbers, values: &[String]) -> Vec<u8> {
    let mut header = Vec::new();
    for _ in 0..numbers.below(24) {
        match numbers.below(12) {
            0 | 1 => header.extend(format!("AWSALB={}", values[numbers.below(values.len())]).bytes()),
            2 => header.extend(format!("AWSALBCORS={}", values[numbers.below(values.len())]).bytes()),
            3 => header.extend(std::iter::repeat_n(b' ', numbers.below(20))),
            4 => header.extend(std::iter::repeat_n(b'x', numbers.below(40))),
            5..=8 => header.extend(b"; "),
            _ => {
                let parts: [&[u8]; 12] = [
                    b";",
                    b";;",
                    b"=",
                    b"\t",
                    b"A",
                    b"AWSALB",
                    b"AWSALB=",
                    b"\"",
                    b"a=b",
                    b"AWSALB = x",
                    b"\xff\x80",
                    b"%41",
                ];
                header.extend(parts[numbers.below(parts.len())]);
            }
        }
    }
    header
}

#[test]
fn the_module_and_a_native_build_pin_every_request_to_the_same_target() {
    let mut host = Host::default();
    host.properties.insert("xds.cluster_name".to_owned(), b"web".to_vec());
    let now = host.now / 1_000_000;
    let mut vm = Vm::load(module(), host);
    vm.initialize().unwrap();
    let plugin = vm.create(0).unwrap();
    assert!(vm.configure(plugin, CONFIGURATION).unwrap(), "{:?}", vm.host().log);
    let native = Balancer::new(Config::parse(CONFIGURATION.as_bytes()).unwrap().config, ring());
    let values: Vec<String> = (1..6).map(|number| value(number, now)).collect();
    let mut numbers = Numbers(1);
    let mut pinned = 0;
    for number in 0..3_000 {
        let lines: Vec<Vec<u8>> = (0..=numbers.below(2)).map(|_| header(&mut numbers, &values)).collect();
        let request = Request {
            target_group: "web",
            route: RouteChoice::default(),
            cookies: lines.iter().map(Vec::as_slice).collect(),
            user_agent: b"",
            forwarded_proto: b"",
            now: Timestamp::from_millis(now),
        };
        let session = native.receive(&request, &|_, _| true).unwrap();
        let expected = session.pin().map(|pin| STANDARD.encode(pin).into_bytes());
        drop(session);

        let stream = vm.create(plugin).unwrap();
        let headers: Vec<(&str, &[u8])> = lines.iter().map(|line| ("cookie", line.as_slice())).collect();
        let sent = vm.request(stream, &headers).unwrap();
        vm.delete(stream).unwrap();
        let pin = sent.into_iter().find(|(name, _)| name == "x-sticky-session-host").map(|(_, value)| value);
        pinned += u32::from(pin.is_some());
        let shown: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        assert_eq!(pin, expected, "{number}: {shown:?}");
    }
    assert!((500..2_900).contains(&pinned), "{pinned} of 3,000 requests were pinned");
}
