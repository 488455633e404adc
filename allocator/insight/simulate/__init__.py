"""Monte Carlo of an allocation: years of factors, defaults, take-up and recovery, drawn from a seed.

What a year pays is defined so that its expectation is the certificate's, borrower by borrower
(docs/formulation.md, section 1). Of an offer of x at rate r over T years, taken with probability a (T_i),
defaulting with probability p over the term (D_i), which takes all its interest and the share L of it:

    interest  T_i (1 - D_i) x r T        expectation  a r T x (1 - p)
    loss      T_i D_i L_i x              a p L x
    funding   T_i x f T                  a f T x
    churn     (1 - T_i) kappa x          (1 - a) kappa x
    others    T_i c, ((1 - T_i) - d) R   a c, ((1 - a) - d) R

T_i are independent of everything else. D_i hang together by factors (`factors`); given these they are
independent. L_i has mean L, and with a spread a Beta distribution around it. A "year" is one such life
of the book, whatever its terms.
"""

from allocator.insight.simulate.record import Risk, Years
from allocator.insight.simulate.simulate import Simulation, simulate
from allocator.insight.simulate.years import draw_years

__all__ = ["Risk", "Simulation", "Years", "draw_years", "simulate"]
