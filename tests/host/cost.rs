//! The instructions that a `Cookie` header costs, whatever its structure.
//!
//! The interpreter counts fuel, about one for each instruction. Envoy's V8 compiles them, so the figures are no times, but their
//! proportions are alike.

use std::sync::OnceLock;

use stickiness::trust::key_ring::{CookieKind, Key, KeyRing};
use stickiness::trust::value_encoding::seal;
use wasm_host::{Host, Module, Vm};

/// As many bytes of cookies as Envoy's default limit for the headers of a request, 60 KiB, lets through.
const BYTES: usize = 60_000;

/// The bytes of a line, where a header has several. Envoy accepts a hundred headers.
const LINE: usize = BYTES / 80;

/// The name of a configuration, and the configuration.
fn configurations() -> Vec<(&'static str, String)> {
    let of_type = |kind: &str, settings: &str| {
        format!(
            r#"{{{KEYS}, "target_groups": {{"web": {{"stickiness": {{"type": "{kind}", "{kind}": {{{settings}}}}}}}}}}}"#
        )
    };
    let follows = r#""cookie_name": "sid""#;
    let rule = |name: &str| {
        format!(
            r#"{{"target_groups": ["web", "green"], "target_group_stickiness": {{"duration_seconds": 60}}, "cookie": {{"name": "{name}"}}}}"#
        )
    };
    let rules: Vec<String> =
        ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett"]
            .map(rule)
            .to_vec();
    let with_rules =
        |rules: &str| of_type("app_cookie", follows).replacen('{', &format!(r#"{{"rules": [{rules}], "#), 1);
    vec![
        ("lb_cookie", of_type("lb_cookie", "")),
        ("app_cookie", of_type("app_cookie", follows)),
        ("classic_lb_cookie", of_type("classic_lb_cookie", "")),
        ("classic_app_cookie", of_type("classic_app_cookie", follows)),
        ("a rule, app_cookie", with_rules(&rule("LB"))),
        ("ten rules, app_cookie", with_rules(&rules.join(","))),
    ]
}

const KEYS: &str = r#""keys": [{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]"#;

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Vm::metered_module(&std::fs::read(super::filter()).unwrap()).unwrap())
}

struct Meter {
    vm: Vm,
    context: i32,
}

impl Meter {
    fn start(configuration: &str) -> Self {
        let mut host = Host::default();
        let properties: [(&str, &[u8]); 3] = [
            ("xds.cluster_name", b"web"),
            ("response.code_details", b"via_upstream"),
            ("upstream.address", b"10.0.0.1:8080"),
        ];
        host.properties = properties.map(|(path, value)| (path.to_owned(), value.to_vec())).into();
        let mut vm = Vm::load(module(), host);
        vm.initialize().unwrap();
        let context = vm.create(0).unwrap();
        assert!(vm.configure(context, configuration).unwrap(), "{:?}", vm.host().log);
        let mut meter = Self { vm, context };
        for cookies in [KEYS, "AWSALB=x; AWSALBAPP-0=x; sid=1; AWSELB=x; AWSELBCORS=%20; LBTG=x; a=b"] {
            meter.fuel_of(&[cookies.as_bytes()]);
            meter.fuel_of(&[cookies.as_bytes()]);
        }
        meter
    }

    /// The fuel that a request with these cookies takes, up to where Envoy sends it on.
    fn fuel_of(&mut self, lines: &[&[u8]]) -> u64 {
        let headers: Vec<(&str, &[u8])> = lines.iter().map(|line| ("cookie", *line)).collect();
        self.fuel_of_request(&headers)
    }

    fn fuel_of_request(&mut self, headers: &[(&str, &[u8])]) -> u64 {
        let stream = self.vm.create(self.context).unwrap();
        let before = self.vm.fuel();
        self.vm.request(stream, headers).unwrap();
        let fuel = self.vm.fuel() - before;
        self.vm.delete(stream).unwrap();
        fuel
    }
}

/// The bytes of a `Cookie` header of this structure.
fn full(pair: &str) -> Vec<u8> {
    pair.bytes().cycle().take(BYTES).collect()
}

/// `first`, and one foreign cookie after it.
fn then_foreign(first: &str) -> Vec<u8> {
    let mut header = first.as_bytes().to_vec();
    header.extend(b"; x=");
    header.resize(BYTES, b'x');
    header
}

/// Structures of a header, each with as many bytes as one foreign cookie.
fn structures() -> Vec<(&'static str, Vec<u8>)> {
    let mut structures: Vec<(&str, Vec<u8>)> = [
        ";",
        "; ",
        "; ; ;",
        " ",
        "\t;",
        "=;",
        "=;=;",
        "a;a;a;",
        "A;",
        "A A",
        "A=1;",
        "s;",
        "s=1;",
        "A=1; s=1;",
        "AWSALB;",
        "AWSALB;=",
        "AWSALB ;",
        "AWSALB=;",
        "AWSALB=x;",
        "AWSALB=x; ",
        "AWSALB=\"x\";",
        "AWSALB=\";",
        "AWSALB=_remove_; ",
        "AWSALB=%;",
        "AWSALB=x; AWSALBCORS=x; ",
        "AWSALBAPP-0=x; ",
        "AWSALBAPP-0=x; AWSALBAPP-1=x; sid=1; ",
        "AWSALBX=1; ",
        "AWSALBCORSX=1; ",
        "AWSELB=x;",
        "AWSELB=x; AWSELBCORS=x; sid=1;",
        "sid;",
        "sid=;",
        "sid=1;",
        "si=1;",
        "alphaTG=x; bravoTG=x; hotelTGCORS=x; ",
        "LBTG=x;",
        "LBTG;",
        "AWSALB =x;",
        "AWSALB                =                x                ;",
        "\"",
        "%41",
        "%",
        "x=%41%41;",
    ]
    .map(|pair| (pair, full(pair)))
    .to_vec();
    for (name, first) in [
        ("places, then a foreign cookie", "A=1;".repeat(100)),
        ("places of an application, then a foreign cookie", "s=1;".repeat(100)),
        ("ours, then a foreign cookie", "AWSALB=x; ".repeat(100)),
        ("twins, then a foreign cookie", "AWSALB=x; AWSALBCORS=x; ".repeat(50)),
        ("shards, then a foreign cookie", "AWSALBAPP-1=x; ".repeat(100)),
        ("an application's, then a foreign cookie", "sid=1; ".repeat(100)),
        ("those of rules, then a foreign cookie", "alphaTG=x; bravoTG=x; hotelTGCORS=x; ".repeat(40)),
        ("that of a rule, then a foreign cookie", "LBTG=x; ".repeat(100)),
    ] {
        structures.push((name, then_foreign(&first)));
    }
    for (name, prefix, pair) in [
        ("an encoded value", "AWSALB=", "%41"),
        ("an encoded shard", "AWSALBAPP-0=", "%41"),
        ("a quoted value", "AWSALB=\"", "A"),
        ("a value of spaces", "AWSALB=", " "),
        ("a name before spaces", "AWSALB", " "),
        ("a value of the application", "sid=", "%41"),
    ] {
        structures.push((name, [prefix.as_bytes(), &full(pair)].concat()));
    }
    structures
}

#[test]
fn a_header_of_any_structure_costs_at_most_three_tenths_more_than_one_foreign_cookie_of_its_length() {
    let structures = structures();
    let mut highest = (0, String::new());
    for (name, configuration) in configurations() {
        let mut meter = Meter::start(&configuration);
        let foreign = full("x");
        let whole = meter.fuel_of(&[&foreign]);
        let in_lines = meter.fuel_of(&foreign.chunks(LINE).collect::<Vec<_>>());
        for (structure, header) in &structures {
            let lines: Vec<&[u8]> = header.chunks(LINE).collect();
            for (fuel, foreign) in [(meter.fuel_of(&[header]), whole), (meter.fuel_of(&lines), in_lines)] {
                highest = highest.max((fuel * 1000 / foreign, format!("{name}: {structure}")));
                assert!(
                    fuel * 10 <= foreign * 13,
                    "{name}: {structure:?} takes {fuel}, and a foreign cookie {foreign}"
                );
            }
        }
    }
    println!("the most expensive one takes {} thousandths: {}", highest.0, highest.1);
}

#[test]
fn another_header_of_any_structure_costs_less_than_cookies_of_its_length() {
    for (name, configuration) in configurations() {
        let mut meter = Meter::start(&configuration);
        let foreign = meter.fuel_of(&[&full("x")]);
        for header in ["user-agent", "x-forwarded-proto", "x-sticky-session-host", "x-other"] {
            for structure in ["x", "C", "Chrome/", "Chrome/79 ", "Chrome/0", ",", "https,", " "] {
                let fuel = meter.fuel_of_request(&[(header, &full(structure))]);
                assert!(
                    fuel < foreign,
                    "{name}: {header} of {structure:?} takes {fuel}, and a foreign cookie {foreign}"
                );
            }
        }
    }
}

/// The fuel that `SECURITY.md` states for the most expensive header.
const DEAREST: u64 = 3_500_000;

/// The same where ten rules have cookie names of their own.
const DEAREST_OF_TEN_RULES: u64 = 5_000_000;

/// The text with every character percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"))
}

/// Values that look sealed, by the name of a key of the ring, and do not open.
fn forgeries(kind: CookieKind, content: usize, encode: bool) -> impl Iterator<Item = String> {
    let secret = std::array::from_fn(|byte| u8::try_from(byte).unwrap());
    let ring = KeyRing::new(Key::new(&secret), Vec::new());
    (0..100).map(move |number| {
        let mut value = seal(&ring, kind, &vec![0; content], &[number; 24]).unwrap();
        // The last character is another one then.
        let last = value.pop().unwrap();
        value.push(if last == 'A' { 'B' } else { 'A' });
        if encode { encoded(&value) } else { value }
    })
}

#[test]
fn the_most_expensive_header_is_full_of_forgeries_and_costs_what_the_threat_model_says() {
    for (name, configuration) in configurations() {
        let mut highest = (0, String::new());
        let mut meter = Meter::start(&configuration);
        for (kind, names) in [
            (CookieKind::LbCookie, &["AWSALB"][..]),
            (CookieKind::LbCookie, &["alphaTG", "bravoTG", "charlieTG", "deltaTG", "echoTG", "foxtrotTG", "golfTG"]),
            (CookieKind::LbCookie, &["LBTG"]),
            (CookieKind::AppCookie, &["AWSALBAPP-0"]),
            (CookieKind::ClassicLbCookie, &["AWSELB"]),
        ] {
            for content in [48, 480, 1_900, 2_928] {
                for encode in [false, true] {
                    if kind == CookieKind::ClassicLbCookie && content > 1_900 {
                        continue;
                    }
                    let cycled = names.iter().cycle();
                    let pairs =
                        cycled.zip(forgeries(kind, content, encode)).map(|(name, value)| format!("{name}={value}; "));
                    let mut header = "sid=1; ".to_owned();
                    for pair in pairs {
                        if header.len() + pair.len() <= BYTES {
                            header += &pair;
                        }
                    }
                    let fuel = meter.fuel_of(&[header.as_bytes()]);
                    highest = highest.max((fuel, format!("{kind:?} {content} {encode}")));
                }
            }
        }
        for encode in [false, true] {
            let whole: Vec<String> = forgeries(CookieKind::AppCookie, 11_952, false).take(4).collect();
            let mut header = "sid=1; ".to_owned();
            for value in &whole {
                for (shard, part) in value.as_bytes().chunks(4000).enumerate() {
                    let part = String::from_utf8(part.to_vec()).unwrap();
                    let part = if encode { encoded(&part) } else { part };
                    let pair = format!("AWSALBAPP-{shard}={part}; ");
                    if header.len() + pair.len() <= BYTES {
                        header += &pair;
                    }
                }
            }
            let fuel = meter.fuel_of(&[header.as_bytes()]);
            highest = highest.max((fuel, format!("shards {encode}")));
        }
        println!("{name}: the most expensive one takes {} fuel: {}", highest.0, highest.1);
        let stated = if name.starts_with("ten rules") { DEAREST_OF_TEN_RULES } else { DEAREST };
        assert!(highest.0 <= stated, "{name}: {}: {}", highest.1, highest.0);
    }
}
