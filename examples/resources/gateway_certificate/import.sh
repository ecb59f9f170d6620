# The certificate's name or, of one that was made otherwise, one of its server names.
terraform import gateway_certificate.shop shop
