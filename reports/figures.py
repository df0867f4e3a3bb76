"""Drawings made from values: the guilloche of a digest, and the QR code of an address."""

from __future__ import annotations

import io
import math

INK = "#17212b"


def guilloche(digest: bytes) -> str:
    """SVG of a closed curve, repeated round a circle, whose shape follows from the digest.

    The radius is a sum of three sines whose whole frequencies, amplitudes and phases are bytes of
    the digest; the frequencies are whole, so the curve closes. It helps an eye to tell two cards
    apart and proves nothing.
    """
    petals = 5 + digest[0] % 7
    waves = [(petals, 9.0 + digest[1] % 6, digest[2])]
    waves += [(petals * 2 + 1 + digest[3] % 3, 2.0 + digest[4] % 4, digest[5])]
    waves += [(petals * 3 + 2 + digest[6] % 5, 1.0 + digest[7] % 3, digest[8])]
    # 47 is the inside of the ring; whatever the amplitudes, the curve touches it and no more.
    middle = 46.0 - sum(amplitude for _, amplitude, _ in waves)
    points = []
    steps = 48 * petals
    for step in range(steps):
        angle = 2 * math.pi * step / steps
        radius = middle + sum(
            amplitude * math.sin(frequency * angle + 2 * math.pi * phase / 256) for frequency, amplitude, phase in waves
        )
        points.append(f"{50 + radius * math.cos(angle):.1f} {50 + radius * math.sin(angle):.1f}")
    path = "M" + "L".join(points) + "z"
    copies = 7
    turns = [360 / petals * copy / copies for copy in range(copies)]
    curves = "".join(f'<path d="{path}" transform="rotate({turn:.2f} 50 50)"/>' for turn in turns)
    return (
        f'<svg viewBox="0 0 100 100" width="100" height="100"><title>Pattern drawn from the digest</title>'
        f'<g fill="none" stroke="{INK}" stroke-width=".4">{curves}'
        f'<circle cx="50" cy="50" r="49"/><circle cx="50" cy="50" r="47.4"/></g></svg>'
    )


def qr_code(address: str) -> str:
    """SVG of a QR code (error correction M) that holds `address`."""
    import segno

    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        border=0,
        dark=INK,
        title=f"QR code: {address}",
        nl=False,
        omitsize=True,
    )
    return out.getvalue().decode()
