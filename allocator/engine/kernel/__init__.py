"""The dual pass: what every borrower would choose at given prices."""
