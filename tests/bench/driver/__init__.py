# SPDX-License-Identifier: Apache-2.0
"""What ./dev bench is made of: see tests/bench/run."""
