//! The privileges, the ports and the files of each container.

use std::fs;

use local_envoy::workspace_root;
use serde_json::json;

use crate::running::{SERVICES, demo, inside, inspect};

#[test]
fn every_container_is_healthy() {
    for service in SERVICES {
        assert_eq!(inspect(service)["State"]["Health"]["Status"], "healthy", "{service}");
    }
}

#[test]
fn no_process_in_a_container_is_that_of_root() {
    for service in SERVICES {
        let status = inside(service, &["bash", "-c", "cat /proc/[0-9]*/status"]);
        let users: Vec<&str> = status.lines().filter_map(|line| line.strip_prefix("Uid:")).collect();
        // One is the service, and one is the process that reads the list.
        assert!(users.len() >= 2, "{service}: {status}");
        let root = users.iter().find(|user| user.split_whitespace().any(|id| id == "0"));
        assert_eq!(root, None, "{service}");
    }
}

#[test]
fn no_container_can_write_to_its_image_or_gain_privileges() {
    for service in SERVICES {
        let host = &inspect(service)["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true, "{service}");
        assert_eq!(host["CapDrop"], json!(["ALL"]), "{service}");
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges:true"]), "{service}");
    }
}

#[test]
fn the_admin_port_is_published_on_the_loopback_only() {
    let published = inspect("envoy")["NetworkSettings"]["Ports"]["9901/tcp"].clone();
    assert_eq!(published, json!([{ "HostIp": "127.0.0.1", "HostPort": demo().ports().admin.to_string() }]));
}

/// Returns true if a backend can open a connection to this host and port.
fn connects(backend: &str, host: &str, port: u16) -> bool {
    let open = format!("timeout 5 bash -c 'exec 3<>/dev/tcp/{host}/{port}'; echo $?");
    inside(backend, &["bash", "-c", &open]).trim() == "0"
}

#[test]
fn no_backend_reaches_the_admin_port() {
    let networks = inspect("envoy")["NetworkSettings"]["Networks"].clone();
    let addresses: Vec<&str> =
        networks.as_object().unwrap().values().map(|network| network["IPAddress"].as_str().unwrap()).collect();
    assert_eq!(addresses.len(), 2, "{networks}");
    for backend in ["backend-a", "backend-b"] {
        // They reach Envoy, but not its admin.
        assert!(connects(backend, "envoy", 10_000), "{backend}");
        for host in addresses.iter().copied().chain(["envoy", "admin"]) {
            assert!(!connects(backend, host, 9901), "{backend} reaches {host}");
        }
    }
}

#[test]
fn the_backends_are_reached_through_envoy_only() {
    for service in ["backend-a", "backend-b"] {
        let published = inspect(service)["NetworkSettings"]["Ports"].clone();
        assert_eq!(published, json!({}), "{service}");
    }
}

#[test]
fn the_configuration_in_the_image_is_the_shipped_one() {
    let shipped = fs::read_to_string(workspace_root().join("envoy/envoy.yaml")).unwrap();
    assert_eq!(inside("envoy", &["cat", "/etc/envoy/envoy.yaml"]), shipped);
}
