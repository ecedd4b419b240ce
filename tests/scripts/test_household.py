"""What `ivr run` refuses before it starts anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ivr.errors import ConfigurationError
from scripts.household import free_port, hold, hold_port, refuse_deaf_address, refuse_taken_port


def test_a_port_on_which_somebody_listens_is_refused_by_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"{port}.*IVR_WEB_PORT"):
            refuse_taken_port(port, "IVR_WEB_PORT")


def test_a_free_port_is_taken_without_a_word() -> None:
    refuse_taken_port(free_port(), "IVR_WEB_PORT")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost", "https://localhost"])
def test_webhooks_to_a_port_where_nobody_listens_are_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"IVR_PUBLIC_BASE_URL.*8123"):
        refuse_deaf_address(address, 8123)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8123", "https://toets.example.org", "https://x.nl:8443/toets"])
def test_the_same_port_or_a_proxy_in_front_is_fine(address: str) -> None:
    refuse_deaf_address(address, 8123)


def test_a_second_house_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(ConfigurationError, match="Another `ivr run`"):
        hold(tmp_path)
    hold(tmp_path).close()


def test_a_second_house_on_a_port_where_the_first_does_not_listen_yet_is_refused() -> None:
    port = free_port()
    with hold_port(port, "IVR_WEB_PORT"), pytest.raises(ConfigurationError, match=f"Another `ivr run`.*{port}"):
        hold_port(port, "IVR_WEB_PORT")
    hold_port(port, "IVR_WEB_PORT").close()
