"""Embedded players: MuJoCo scenes as simulator processes that behave like Unity builds."""
