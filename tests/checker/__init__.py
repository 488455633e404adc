"""The stand-alone checker by closed forms, section by section of docs/certificate.md."""
