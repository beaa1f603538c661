# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Encrypt and decrypt with the vault passwords that Ansible was started with."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

from ansible import constants
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext, match_best_secret

from ...module_utils._engine.common.errors import usage_error


class Vault:
    """The vault passwords of a play, and the one of them that encrypts.

    Messages name ``what`` is encrypted. ``vault_id`` chooses the password, as ``ansible-vault encrypt
    --encrypt-vault-id`` does. Raises a usage error without a suitable password.
    """

    def __init__(self, what: str, vault_id: str = "") -> None:
        secrets = _get_secrets()
        wanted = vault_id or constants.config.get_config_value("DEFAULT_VAULT_ENCRYPT_IDENTITY") or ""
        self._vault_id, self._secret = _choose_secret(secrets, wanted, what)
        self._lib = VaultLib(secrets)

    def encrypt(self, text: str) -> bytes:
        """Return ``text`` as the content of a vault file."""
        ciphertext: bytes = self._lib.encrypt(text, secret=self._secret, vault_id=self._vault_id)
        return ciphertext

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Decrypt with any of the passwords. Raises AnsibleError if none fits."""
        text: bytes = self._lib.decrypt(ciphertext)
        return text


def _get_secrets() -> Sequence[Tuple[str, VaultSecret]]:
    context: Any = VaultSecretsContext.current(optional=True)
    return context.secrets if context is not None else []


def _choose_secret(secrets: Sequence[Tuple[str, VaultSecret]], wanted: str, what: str) -> Tuple[str, VaultSecret]:
    known = list(dict.fromkeys(name for name, _secret in secrets))
    if not known:
        raise usage_error(
            f"There is no vault password to encrypt {what}. Start Ansible with --ask-vault-pass or "
            "--vault-password-file."
        )
    if not wanted and len(known) > 1:
        raise usage_error(
            f"There are several vault passwords ({', '.join(known)}). Set ANSIBLE_VAULT_ENCRYPT_IDENTITY to the one "
            f"that encrypts {what}."
        )
    found: Optional[Tuple[str, VaultSecret]] = match_best_secret(secrets, [wanted or known[0]])
    if found is None:
        raise usage_error(f"There is no vault password with the id {wanted!r}. Use one of: {', '.join(known)}.")
    return found
