* Expectation of a product of traces of words in W = X^T X and deterministic letters, by Wick's theorem.
*
* X is n x p with independent rows of covariance S.  W number t has two slots, x(i_t,a) and x(i_t,b); slot number
* k carries the row index ROWS[k] and the column index COLS[k].  LINKS is the product of the ch(a,A,b), one for
* each deterministic letter A between the column indices a and b (1 if there is none); SLOTS is s1,...,s(2d), and
* SIGMA is 1 for a general covariance and 0 for the identity.  The first slot that is left is paired with each of
* the others in turn; equal terms are merged after each pairing.
*
* tr W^2:  form -q -d PAIRS=2 -d SIGMA=0 -d LINKS=1 -d SLOTS=s1,s2,s3,s4 \
*               -d ROWS=i1,i1,i2,i2 -d COLS=a1,a2,a2,a1 wick.frm
#-
Off statistics;
Format 255;
Symbols n,p,x,y,m1,m2,A,At,B,Bt,C,Ct,D,Dt,E,Et,F,Ft,S,swap;
AutoDeclare Symbols s;
Dimension n;
AutoDeclare Indices i;
Dimension p;
AutoDeclare Indices a;
Indices k1,k2,k3;
CFunctions f,g,w,ch,turned,tr(cyclic);
Set slots: `SLOTS';
Set rows: `ROWS';
Set cols: `COLS';

Local moment = w(`SLOTS')*`LINKS';
#do step = 1,`PAIRS'
  id w(x?,?a) = g(x)*distrib_(1,1,f,w,?a);
  #if `SIGMA' == 1
    id g(x?slots[m1])*f(y?slots[m2]) = d_(rows[m1],rows[m2])*ch(cols[m1],S,cols[m2]);
  #else
    id g(x?slots[m1])*f(y?slots[m2]) = d_(rows[m1],rows[m2])*d_(cols[m1],cols[m2]);
  #endif
  repeat;
    id ch(k1?,?a,k1?) = tr(?a);
    id once ch(k1?,?a,k2?)*ch(k2?,?b,k3?) = ch(k1,?a,?b,k3);
    id once ch(k1?,?a,k2?)*ch(k3?,?b,k2?) = ch(k1,?a,k2)*turned(k2,reverse_(?b),k3);
    id once ch(k2?,?a,k1?)*ch(k2?,?b,k3?) = turned(k1,reverse_(?a),k2)*ch(k2,?b,k3);
    argument turned;
      #do letter = {A,B,C,D,E,F}
        id `letter' = swap;
        id `letter't = `letter';
        id swap = `letter't;
      #enddo
    endargument;
    id turned(?a) = ch(?a);
  endrepeat;
  .sort
#enddo
id w = 1;
Print +s;
.end
